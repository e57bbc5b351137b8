import type { PasswordResetWords } from './en.ts'

export const fr: PasswordResetWords = {
  pages: {
    forgot: {
      title: 'Mot de passe oublié ?',
      lead: 'Saisissez l’adresse e-mail de votre compte. Nous vous enverrons un lien pour choisir un nouveau mot de passe.',
      email: 'Adresse e-mail',
      submit: 'Envoyer le lien',
      back: 'Retour à la connexion',
      sent: 'Si un compte utilise cette adresse, un lien vient d’être envoyé. Cela peut prendre une minute ; pensez à vérifier le dossier des courriers indésirables.',
    },
    reset: {
      title: 'Choisir un nouveau mot de passe',
      password: 'Nouveau mot de passe',
      confirmation: 'Nouveau mot de passe, encore une fois',
      hint: (length) => `Au moins ${length} caractères ; quelques mots sans lien entre eux sont faciles à retenir`,
      submit: 'Enregistrer le nouveau mot de passe',
      done: 'Votre nouveau mot de passe est enregistré. Connectez-vous avec celui-ci.',
      expiredTitle: 'Ce lien ne fonctionne plus',
      expired: 'Un lien ne sert qu’une fois et pour peu de temps. Demandez-en un nouveau.',
      again: 'Demander un nouveau lien',
    },
  },
  mails: {
    reset: {
      subject: (serviceName) => `Choisissez un nouveau mot de passe pour ${serviceName}`,
      preheader: 'Le lien pour choisir un nouveau mot de passe.',
      body: (serviceName) =>
        `Quelqu’un, peut-être vous, a demandé un nouveau mot de passe pour votre compte sur ${serviceName}. Choisissez-le ici :`,
      action: 'Choisir un nouveau mot de passe',
      notYou: 'Si ce n’était pas vous, ignorez ce message : votre mot de passe reste le même.',
      footer: 'Vous recevez ce message parce que quelqu’un a demandé un nouveau mot de passe pour votre compte.',
    },
    invitation: {
      subject: (serviceName) => `Votre compte sur ${serviceName}`,
      preheader: 'Choisissez un mot de passe pour pouvoir vous connecter.',
      body: (serviceName) =>
        `Un compte sur ${serviceName} a été créé pour vous. Choisissez son mot de passe pour pouvoir vous connecter :`,
      action: 'Choisir un mot de passe',
      notYou:
        'Si vous n’attendiez pas d’invitation, ignorez ce message : sans mot de passe, personne ne peut utiliser le compte.',
      footer: 'Vous recevez ce message parce qu’un compte a été créé pour cette adresse.',
    },
    registerFirst: {
      subject: (serviceName) => `Terminez votre inscription sur ${serviceName}`,
      preheader: 'Il n’existe pas encore de compte confirmé avec cette adresse.',
      body: (serviceName) =>
        `Quelqu’un, peut-être vous, a demandé un nouveau mot de passe sur ${serviceName}. L’inscription avec cette adresse n’a jamais été confirmée : il n’y a donc pas encore de compte. Pour en créer un, inscrivez-vous de nouveau :`,
      action: 'S’inscrire',
      notYou: 'Si ce n’était pas vous, vous n’avez rien à faire.',
      footer: 'Vous recevez ce message parce que quelqu’un a demandé un nouveau mot de passe pour cette adresse.',
    },
    passwordDisabled: {
      subject: (serviceName) => `Trop de mots de passe erronés pour votre compte sur ${serviceName}`,
      preheader: 'Pour protéger votre compte, votre mot de passe ne fonctionne plus sur tous les appareils.',
      newDevices: (serviceName) =>
        `Trop de mots de passe erronés ont été saisis pour votre compte sur ${serviceName}, sur des appareils qui ne s’y étaient jamais connectés. Pour protéger le compte, votre mot de passe ne fonctionne plus que sur les appareils déjà connectés auparavant. Pour utiliser un mot de passe sur tout appareil, demandez un lien et choisissez-en un nouveau :`,
      oneDevice: (serviceName) =>
        `Trop de mots de passe erronés ont été saisis pour votre compte sur ${serviceName}, sur un appareil qui s’y était déjà connecté. Pour protéger le compte, votre mot de passe ne fonctionne plus sur cet appareil. Pour y utiliser de nouveau un mot de passe, demandez un lien et choisissez-en un nouveau :`,
      action: 'Choisir un nouveau mot de passe',
      safe: 'Rien d’autre n’a été modifié dans votre compte.',
      footer: 'Vous recevez ce message parce qu’il concerne la sécurité de votre compte.',
    },
  },
}
