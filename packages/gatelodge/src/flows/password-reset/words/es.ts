import type { PasswordResetWords } from './en.ts'

export const es: PasswordResetWords = {
  pages: {
    forgot: {
      title: '¿Ha olvidado su contraseña?',
      lead: 'Escriba el correo electrónico de su cuenta. Le enviaremos un enlace para elegir una contraseña nueva.',
      email: 'Correo electrónico',
      submit: 'Enviar el enlace',
      back: 'Volver al inicio de sesión',
      sent: 'Si una cuenta tiene esta dirección, el enlace está en camino. Puede tardar un minuto; mire también en la carpeta de correo no deseado.',
    },
    reset: {
      title: 'Elegir una contraseña nueva',
      password: 'Contraseña nueva',
      confirmation: 'Repita la contraseña nueva',
      hint: (length) => `Al menos ${length} caracteres; unas cuantas palabras sin relación son fáciles de recordar`,
      submit: 'Guardar la contraseña nueva',
      done: 'Su contraseña nueva está guardada. Inicie sesión con ella.',
      expiredTitle: 'Este enlace ya no funciona',
      expired: 'Los enlaces sirven una sola vez y por poco tiempo. Pida uno nuevo.',
      again: 'Pedir un enlace nuevo',
    },
  },
  mails: {
    reset: {
      subject: (serviceName) => `Elija una contraseña nueva para ${serviceName}`,
      preheader: 'El enlace para elegir una contraseña nueva.',
      body: (serviceName) =>
        `Alguien, quizá usted, ha pedido una contraseña nueva para su cuenta de ${serviceName}. Elíjala aquí:`,
      action: 'Elegir una contraseña nueva',
      notYou: 'Si no fue usted, ignore este mensaje: su contraseña sigue siendo la misma.',
      footer: 'Recibe este mensaje porque alguien ha pedido una contraseña nueva para su cuenta.',
    },
    invitation: {
      subject: (serviceName) => `Su cuenta de ${serviceName}`,
      preheader: 'Elija una contraseña y podrá iniciar sesión.',
      body: (serviceName) =>
        `Se ha creado para usted una cuenta de ${serviceName}. Elija una contraseña y podrá iniciar sesión:`,
      action: 'Elegir una contraseña',
      notYou: 'Si no esperaba ninguna invitación, ignore este mensaje: sin contraseña nadie puede usar la cuenta.',
      footer: 'Recibe este mensaje porque se ha creado una cuenta para esta dirección.',
    },
    registerFirst: {
      subject: (serviceName) => `Termine su registro en ${serviceName}`,
      preheader: 'Aún no hay ninguna cuenta confirmada con esta dirección.',
      body: (serviceName) =>
        `Alguien, quizá usted, ha pedido una contraseña nueva en ${serviceName}. El registro con esta dirección nunca se confirmó, así que aún no hay ninguna cuenta. Para crear una, regístrese de nuevo:`,
      action: 'Registrarse',
      notYou: 'Si no fue usted, no tiene que hacer nada.',
      footer: 'Recibe este mensaje porque alguien ha pedido una contraseña nueva para esta dirección.',
    },
    passwordDisabled: {
      subject: (serviceName) => `Demasiadas contraseñas erróneas para su cuenta de ${serviceName}`,
      preheader: 'Para proteger su cuenta, su contraseña ya no funciona en todos los dispositivos.',
      newDevices: (serviceName) =>
        `Se han escrito demasiadas contraseñas erróneas para su cuenta de ${serviceName} en dispositivos que nunca habían iniciado sesión en ella. Para proteger la cuenta, su contraseña solo funciona ahora en los dispositivos que ya habían iniciado sesión. Para usar una contraseña en cualquier dispositivo, pida un enlace y elija una nueva:`,
      oneDevice: (serviceName) =>
        `Se han escrito demasiadas contraseñas erróneas para su cuenta de ${serviceName} en un dispositivo que ya había iniciado sesión en ella. Para proteger la cuenta, su contraseña ya no funciona en ese dispositivo. Para volver a usar allí una contraseña, pida un enlace y elija una nueva:`,
      action: 'Elegir una contraseña nueva',
      safe: 'No se ha cambiado nada más en su cuenta.',
      footer: 'Recibe este mensaje porque afecta a la seguridad de su cuenta.',
    },
  },
}
