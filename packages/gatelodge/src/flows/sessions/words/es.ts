import type { SessionWords } from './en.ts'

export const es: SessionWords = {
  pages: {
    lead: 'Estos dispositivos tienen una sesión abierta en su cuenta.',
    current: 'Este dispositivo',
    lastSeen: 'Última actividad',
    started: 'Inicio',
    address: 'Dirección IP',
    noAddress: 'desconocida',
    end: 'Cerrar esta sesión',
    ended: 'La sesión se ha cerrado.',
    gone: 'Esta sesión ya estaba cerrada.',
    endOthers: 'Cerrar todas las demás sesiones',
    othersEnded: 'Todas las demás sesiones se han cerrado.',
    logout: {
      title: 'Cerrar sesión',
      lead: '¿Quiere cerrar la sesión en este dispositivo?',
      submit: 'Cerrar sesión',
      back: 'Volver a la cuenta',
      done: 'Ha cerrado la sesión.',
    },
  },
}
