import type { SignInWords } from './en.ts'

export const es: SignInWords = {
  pages: {
    newPassword: {
      title: 'Elija su propia contraseña',
      lead: 'Ha iniciado sesión con una contraseña que se le asignó. Cámbiela para continuar.',
      password: 'Contraseña nueva',
      hint: (length) => `Al menos ${length} caracteres; unas cuantas palabras sin relación son fáciles de recordar`,
      confirmation: 'Repita la contraseña nueva',
      submit: 'Guardar contraseña e iniciar sesión',
      done: 'Su contraseña se ha guardado. Ha iniciado sesión.',
      expired: 'Ha pasado demasiado tiempo. Inicie sesión de nuevo.',
    },
    reauthenticate: {
      title: 'Confirme que es usted',
      lead: 'Para lo que ha pedido hace falta de nuevo su contraseña.',
      submit: 'Confirmar',
      done: 'Gracias. Ya puede continuar.',
    },
    title: 'Iniciar sesión',
    identifier: 'Correo electrónico o nombre de usuario',
    password: 'Contraseña',
    remember: 'Mantener la sesión abierta en este dispositivo',
    submit: 'Iniciar sesión',
    resend: 'Enviarme un enlace nuevo',
    forgot: '¿Ha olvidado su contraseña?',
    register: '¿Aún no tiene cuenta? Regístrese',
    invalid_credentials: 'La dirección, el nombre de usuario o la contraseña no son correctos',
    account_inactive: 'Esta cuenta está desactivada. Consulte a los responsables de este servicio.',
    email_unverified: 'Su correo electrónico aún no está confirmado. Abra el enlace que le hemos enviado.',
  },
  mails: {
    newDevice: {
      subject: (serviceName) => `Nuevo inicio de sesión en su cuenta de ${serviceName}`,
      preheader: 'Si fue usted, no tiene que hacer nada.',
      body: (serviceName) =>
        `Alguien ha iniciado sesión en su cuenta de ${serviceName} desde un dispositivo que no conocíamos.`,
      device: 'Dispositivo',
      unknownDevice: 'desconocido',
      address: 'Dirección IP',
      time: 'Fecha y hora',
      sessions: 'Vea dónde tiene la sesión abierta:',
      footer: 'Recibe este mensaje porque afecta a la seguridad de su cuenta.',
    },
  },
}
