import type { RecoveryWords } from './en.ts'

export const es: RecoveryWords = {
  pages: {
    undo: {
      title: 'Proteja su cuenta',
      lead: 'Si no fue usted, pulse el botón. Se cierran todas las sesiones, su contraseña deja de funcionar, se elimina lo que se haya añadido desde entonces y le enviamos un enlace para elegir una contraseña nueva.',
      submit: 'No fui yo',
      done: 'Se han cerrado todas las sesiones. Revise su correo: solo el enlace que le hemos enviado para elegir una contraseña nueva abre su cuenta.',
      expiredTitle: 'Este enlace ya no funciona',
      expired:
        'El enlace sirve una sola vez, durante 72 horas. Si otra persona usa su cuenta, elija ahora una contraseña nueva.',
      way: 'Elegir una contraseña nueva',
    },
  },
  mails: {
    started: {
      subject: (serviceName) => `Desbloquee su cuenta de ${serviceName}`,
      preheader: 'Se han cerrado todas las sesiones.',
      body: (serviceName) =>
        `Nos ha indicado que un cambio en su cuenta de ${serviceName} no era suyo. Se han cerrado todas las sesiones, su contraseña ya no funciona y se ha eliminado lo que se añadió desde entonces. Elija una contraseña nueva para volver a abrir su cuenta:`,
      action: 'Elegir una contraseña nueva',
      footer: 'Recibe este mensaje porque afecta a la seguridad de su cuenta.',
    },
  },
}
