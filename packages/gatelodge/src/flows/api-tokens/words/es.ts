import type { ApiTokenWords } from './en.ts'

export const es: ApiTokenWords = {
  pages: {
    lead: 'Un programa que tiene uno de estos tokens pasa por usted ante los servicios que los aceptan. Guárdelos como contraseñas.',
    none: 'No hay tokens de API.',
    scopes: 'Alcances',
    noScopes: 'ninguno',
    created: 'Creado',
    expires: 'Caduca',
    lastUsed: 'Último uso',
    never: 'nunca',
    revoke: 'Revocar',
    revoked: 'El token está revocado.',
    gone: 'Este token ya estaba revocado o caducado.',
    new: {
      title: 'Nuevo token de API',
      name: 'Nombre',
      nameHint: 'Para reconocerlo, por ejemplo: script de copias',
      scopes: 'Alcances',
      scopesHint: 'Lo que puede hacer, en las palabras del servicio para el que es, separadas por espacios',
      expiresIn: 'Válido durante',
      submit: 'Crear el token',
      made: 'Su nuevo token. Cópielo ahora: no se mostrará otra vez.',
    },
  },
  mails: {
    created: {
      subject: (serviceName) => `Nuevo token de API en ${serviceName}`,
      preheader: 'Si fue usted, no hay nada que hacer.',
      body: (serviceName, moment, end) =>
        `Se creó un token de API para su cuenta en ${serviceName} el ${moment}. Hasta el ${end}, los programas que lo tienen pasan por usted.`,
      look: 'Vea todos sus tokens y revoque los que no necesite:',
      footer: 'Recibe este mensaje porque concierne a la seguridad de su cuenta.',
    },
  },
}
