import type { EmailChangeWords } from './en.ts'

export const fr: EmailChangeWords = {
  pages: {
    account: {
      title: 'Adresse e-mail',
      current: 'Adresse actuelle',
      unconfirmed: 'Cette adresse n’est pas encore confirmée.',
      resend: 'Renvoyer le lien',
      new: 'Nouvelle adresse e-mail',
      password: 'Mot de passe actuel',
      submit: 'Changer d’adresse',
      requested: 'Un lien a été envoyé à la nouvelle adresse. Rien ne change tant que vous ne l’avez pas ouvert.',
    },
    confirm: {
      title: 'Confirmez votre nouvelle adresse',
      lead: 'Votre compte utilisera l’adresse à laquelle ce lien a été envoyé. Vous ne resterez connecté que sur cet appareil.',
      submit: 'Confirmer cette adresse',
      done: 'Votre adresse e-mail est modifiée. Connectez-vous avec la nouvelle.',
      doneSignedIn: 'Votre adresse e-mail est modifiée.',
      expiredTitle: 'Ce lien ne fonctionne plus',
      expired:
        'Un lien ne sert qu’une fois et pour peu de temps. Vous pouvez demander de nouveau la modification dans votre compte.',
      way: 'Aller à mon compte',
    },
    undo: {
      title: 'Reprendre votre ancienne adresse',
      lead: 'Votre compte utilisera l’adresse à laquelle ce lien a été envoyé. Toutes les connexions seront fermées, et vous recevrez un lien pour choisir un nouveau mot de passe.',
      submit: 'Annuler la modification',
      done: 'Votre adresse e-mail est rétablie et toutes les connexions sont fermées. Nous vous envoyons un lien pour choisir un nouveau mot de passe.',
      expiredTitle: 'Ce lien ne fonctionne plus',
      expired:
        'Une modification peut être annulée une seule fois, pendant 72 heures. Si quelqu’un d’autre utilise votre compte, adressez-vous aux responsables de ce service.',
      way: 'Aller à la connexion',
    },
  },
  mails: {
    confirm: {
      subject: (serviceName) => `Confirmez votre nouvelle adresse e-mail pour ${serviceName}`,
      preheader: 'Un clic, et votre compte utilisera cette adresse.',
      body: (serviceName) =>
        `Vous avez demandé à utiliser cette adresse pour votre compte sur ${serviceName}. Confirmez qu’elle est la vôtre :`,
      action: 'Confirmer cette adresse',
      notYou: 'Si vous n’avez rien demandé, ignorez ce message : rien ne change tant que le lien n’est pas utilisé.',
      footer: 'Vous recevez ce message parce que quelqu’un a demandé à utiliser cette adresse pour un compte.',
    },
    requested: {
      subject: (serviceName) => `Nouvelle adresse e-mail demandée sur ${serviceName}`,
      preheader: 'Rien n’a encore été modifié.',
      body: (serviceName, moment) =>
        `Une personne connectée à votre compte sur ${serviceName} a demandé le ${moment} à en modifier l’adresse e-mail. Rien ne change tant que le lien envoyé à la nouvelle adresse n’est pas utilisé.`,
      wasYou:
        'Si c’était vous, vous n’avez rien à faire. Sinon, choisissez maintenant un nouveau mot de passe : toutes les connexions seront fermées et la demande sera annulée.',
      action: 'Choisir un nouveau mot de passe',
      footer: 'Vous recevez ce message parce qu’il concerne la sécurité de votre compte.',
    },
    notice: {
      subject: (serviceName) => `Votre adresse e-mail sur ${serviceName} a été modifiée`,
      preheader: 'Si c’était vous, vous n’avez rien à faire.',
      body: (serviceName) => `L’adresse e-mail de votre compte sur ${serviceName} a été modifiée.`,
      newAddress: 'Nouvelle adresse',
      wasYou:
        'Si c’était vous, vous n’avez rien à faire. Sinon, annulez la modification : cette adresse sera rétablie, toutes les connexions seront fermées, et vous recevrez un lien pour choisir un nouveau mot de passe.',
      action: 'Annuler la modification',
      footer: 'Vous recevez ce message parce qu’il concerne la sécurité de votre compte.',
    },
    addressInUse: {
      subject: (serviceName) => `Votre adresse est déjà utilisée sur ${serviceName}`,
      preheader: 'Quelqu’un a essayé d’utiliser votre adresse pour un autre compte. Rien n’a été modifié.',
      body: (serviceName) =>
        `Quelqu’un, peut-être vous, a essayé d’utiliser cette adresse pour un autre compte sur ${serviceName}. Elle appartient déjà à votre compte : rien n’a été modifié.`,
      notYou: 'Vous n’avez rien à faire.',
      footer: 'Vous recevez ce message parce que quelqu’un a saisi l’adresse de votre compte.',
    },
    restored: {
      subject: (serviceName) => `Votre adresse e-mail sur ${serviceName} a été rétablie`,
      preheader: 'Choisissez maintenant un nouveau mot de passe.',
      body: (serviceName) =>
        `La modification a été annulée : votre compte sur ${serviceName} utilise de nouveau cette adresse, et toutes les connexions ont été fermées. La personne qui l’a modifiée connaît peut-être votre mot de passe : choisissez-en un nouveau maintenant :`,
      action: 'Choisir un nouveau mot de passe',
      footer: 'Vous recevez ce message parce qu’il concerne la sécurité de votre compte.',
    },
  },
}
