import type { EmailVerificationWords } from './en.ts'

export const es: EmailVerificationWords = {
  pages: {
    sent: {
      title: 'Mire su correo',
      text: 'Abra el enlace de nuestro mensaje para continuar. Puede tardar un minuto; mire también en la carpeta de correo no deseado.',
      again: '¿No ha llegado nada? Enviar el enlace otra vez',
      signIn: 'Ir al inicio de sesión',
    },
    confirm: {
      title: 'Confirme su correo electrónico',
      lead: 'Un clic y su dirección queda confirmada.',
      protect: 'Para proteger su cuenta, escriba la contraseña que eligió al registrarse.',
      password: 'Contraseña',
      submit: 'Confirmar mi dirección',
      done: 'Su correo electrónico está confirmado. Ya puede iniciar sesión.',
      doneSignedIn: 'Su correo electrónico está confirmado.',
      expiredTitle: 'Este enlace ya no funciona',
      expired:
        'Los enlaces sirven una sola vez y por poco tiempo. Si su dirección ya está confirmada, inicie sesión; si no, pida un enlace nuevo.',
      again: 'Pedir un enlace nuevo',
      signIn: 'Ir al inicio de sesión',
    },
    resend: {
      title: 'Enviar el enlace otra vez',
      lead: 'Escriba el correo electrónico con el que se registró. Le enviaremos un enlace nuevo.',
      email: 'Correo electrónico',
      submit: 'Enviar el enlace',
      back: 'Volver al inicio de sesión',
      sent: 'Si esta dirección está pendiente de confirmación, un enlace nuevo está en camino.',
      nothingWaits: 'Esta dirección no tiene ninguna confirmación pendiente',
    },
  },
  mails: {
    verification: {
      subject: (serviceName) => `Confirme su cuenta de ${serviceName}`,
      preheader: 'Un clic y su cuenta estará lista.',
      body: (serviceName) =>
        `Gracias por registrarse en ${serviceName}. Confirme que esta dirección es suya y su cuenta estará lista.`,
      action: 'Confirmar mi cuenta',
      notYou: 'Si no se ha registrado, ignore este mensaje: no existe ninguna cuenta mientras no se use el enlace.',
      footer: 'Recibe este mensaje porque alguien se ha registrado con esta dirección.',
    },
    accountExists: {
      subject: (serviceName) => `Ya tiene una cuenta en ${serviceName}`,
      preheader: 'Alguien ha intentado registrarse con su dirección. No se ha cambiado nada.',
      body: (serviceName) =>
        `Alguien, quizá usted, ha intentado registrarse en ${serviceName} con esta dirección. Ya tiene una cuenta, así que no se ha cambiado nada.`,
      action: 'Iniciar sesión',
      forgotten: 'Si no recuerda su contraseña, elija una nueva:',
      notYou: 'Si no fue usted, no tiene que hacer nada.',
      footer: 'Recibe este mensaje porque alguien ha intentado registrarse con la dirección de su cuenta.',
    },
    welcome: {
      subject: (serviceName) => `Le damos la bienvenida a ${serviceName}`,
      preheader: 'Su cuenta está lista.',
      body: (serviceName) =>
        `Le damos la bienvenida a ${serviceName}. Su cuenta está lista y puede iniciar sesión cuando quiera.`,
      action: 'Iniciar sesión',
      footer: 'Recibe este mensaje porque tiene una cuenta nueva.',
    },
  },
}
