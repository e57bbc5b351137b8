import type { EmailChangeWords } from './en.ts'

export const es: EmailChangeWords = {
  pages: {
    account: {
      title: 'Correo electrónico',
      current: 'Dirección actual',
      unconfirmed: 'Esta dirección aún no está confirmada.',
      resend: 'Enviar el enlace otra vez',
      new: 'Nueva dirección de correo',
      password: 'Contraseña actual',
      submit: 'Cambiar la dirección',
      requested: 'Se ha enviado un enlace a la nueva dirección. Nada cambia hasta que usted lo abra.',
    },
    confirm: {
      title: 'Confirme su nuevo correo electrónico',
      lead: 'Su cuenta usará la dirección a la que se envió este enlace. Su sesión seguirá abierta solo en este dispositivo.',
      submit: 'Confirmar esta dirección',
      done: 'Su correo electrónico se ha cambiado. Inicie sesión con el nuevo.',
      doneSignedIn: 'Su correo electrónico se ha cambiado.',
      expiredTitle: 'Este enlace ya no funciona',
      expired: 'Los enlaces sirven una sola vez y por poco tiempo. Puede pedir el cambio otra vez en su cuenta.',
      way: 'Ir a mi cuenta',
    },
    undo: {
      title: 'Recuperar su correo electrónico anterior',
      lead: 'Su cuenta volverá a usar la dirección a la que se envió este enlace. Se cerrarán todas las sesiones y recibirá un enlace para elegir una contraseña nueva.',
      submit: 'Deshacer el cambio',
      done: 'Su correo electrónico se ha restaurado y se han cerrado todas las sesiones. Le enviamos un enlace para elegir una contraseña nueva.',
      expiredTitle: 'Este enlace ya no funciona',
      expired:
        'Un cambio se puede deshacer una sola vez, durante 72 horas. Si otra persona usa su cuenta, diríjase a los responsables de este servicio.',
      way: 'Ir al inicio de sesión',
    },
  },
  mails: {
    confirm: {
      subject: (serviceName) => `Confirme su nuevo correo electrónico para ${serviceName}`,
      preheader: 'Un clic y su cuenta usará esta dirección.',
      body: (serviceName) => `Ha pedido usar esta dirección para su cuenta de ${serviceName}. Confirme que es suya:`,
      action: 'Confirmar esta dirección',
      notYou: 'Si no lo ha pedido, ignore este mensaje: nada cambia mientras no se use el enlace.',
      footer: 'Recibe este mensaje porque alguien ha pedido usar esta dirección para una cuenta.',
    },
    requested: {
      subject: (serviceName) => `Se ha solicitado un correo nuevo en ${serviceName}`,
      preheader: 'Todavía no ha cambiado nada.',
      body: (serviceName, moment) =>
        `Alguien con la sesión iniciada en su cuenta de ${serviceName} pidió el ${moment} cambiar su correo electrónico. Nada cambia mientras no se use el enlace enviado a la dirección nueva.`,
      wasYou:
        'Si fue usted, no tiene que hacer nada. Si no, elija ahora una contraseña nueva: así se cierran todas las sesiones y se cancela la solicitud.',
      action: 'Elegir una contraseña nueva',
      footer: 'Recibe este mensaje porque afecta a la seguridad de su cuenta.',
    },
    notice: {
      subject: (serviceName) => `Se ha cambiado su correo electrónico de ${serviceName}`,
      preheader: 'Si fue usted, no tiene que hacer nada.',
      body: (serviceName) => `Se ha cambiado el correo electrónico de su cuenta de ${serviceName}.`,
      newAddress: 'Dirección nueva',
      wasYou:
        'Si fue usted, no tiene que hacer nada. Si no, deshaga el cambio: se restaurará esta dirección, se cerrarán todas las sesiones y recibirá un enlace para elegir una contraseña nueva.',
      action: 'Deshacer el cambio',
      footer: 'Recibe este mensaje porque afecta a la seguridad de su cuenta.',
    },
    addressInUse: {
      subject: (serviceName) => `Su dirección ya está en uso en ${serviceName}`,
      preheader: 'Alguien ha intentado usar su dirección para otra cuenta. No se ha cambiado nada.',
      body: (serviceName) =>
        `Alguien, quizá usted, ha intentado usar esta dirección para otra cuenta de ${serviceName}. Ya pertenece a su cuenta, así que no se ha cambiado nada.`,
      notYou: 'No tiene que hacer nada.',
      footer: 'Recibe este mensaje porque alguien ha escrito la dirección de su cuenta.',
    },
    restored: {
      subject: (serviceName) => `Se ha restaurado su correo electrónico de ${serviceName}`,
      preheader: 'Elija ahora una contraseña nueva.',
      body: (serviceName) =>
        `Se ha deshecho el cambio: su cuenta de ${serviceName} vuelve a usar esta dirección y se han cerrado todas las sesiones. Quien la cambió puede conocer su contraseña, así que elija ahora una nueva:`,
      action: 'Elegir una contraseña nueva',
      footer: 'Recibe este mensaje porque afecta a la seguridad de su cuenta.',
    },
  },
}
