import type { PasswordChangeWords } from './en.ts'

export const es: PasswordChangeWords = {
  pages: {
    title: 'Contraseña',
    old: 'Contraseña actual',
    new: 'Contraseña nueva',
    confirmation: 'Repita la contraseña nueva',
    hint: (length) => `Al menos ${length} caracteres; unas cuantas palabras sin relación son fáciles de recordar`,
    submit: 'Cambiar la contraseña',
    changed: 'Su contraseña se ha cambiado. Se ha cerrado la sesión en los demás dispositivos.',
  },
  mails: {
    changed: {
      subject: (serviceName) => `Se ha cambiado su contraseña de ${serviceName}`,
      preheader: 'Si fue usted, no tiene que hacer nada.',
      body: (serviceName, moment) =>
        `La contraseña de su cuenta de ${serviceName} se cambió el ${moment}. Se han cerrado todas las demás sesiones.`,
      footer: 'Recibe este mensaje porque afecta a la seguridad de su cuenta.',
    },
  },
}
