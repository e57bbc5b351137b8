import type { EmailVerificationWords } from './en.ts'

export const fr: EmailVerificationWords = {
  pages: {
    sent: {
      title: 'Consultez votre messagerie',
      text: 'Ouvrez le lien de notre message pour continuer. Cela peut prendre une minute ; pensez à vérifier le dossier des courriers indésirables.',
      again: 'Rien reçu ? Renvoyer le lien',
      signIn: 'Aller à la connexion',
    },
    confirm: {
      title: 'Confirmez votre adresse',
      lead: 'Un clic, et votre adresse est confirmée.',
      protect: 'Pour protéger votre compte, saisissez le mot de passe que vous avez choisi à l’inscription.',
      password: 'Mot de passe',
      submit: 'Confirmer mon adresse',
      done: 'Votre adresse e-mail est confirmée. Vous pouvez maintenant vous connecter.',
      doneSignedIn: 'Votre adresse e-mail est confirmée.',
      expiredTitle: 'Ce lien ne fonctionne plus',
      expired:
        'Un lien ne sert qu’une fois et pour peu de temps. Si votre adresse est déjà confirmée, connectez-vous ; sinon, demandez un nouveau lien.',
      again: 'Demander un nouveau lien',
      signIn: 'Aller à la connexion',
    },
    resend: {
      title: 'Renvoyer le lien',
      lead: 'Saisissez l’adresse e-mail de votre inscription. Nous vous enverrons un nouveau lien.',
      email: 'Adresse e-mail',
      submit: 'Envoyer le lien',
      back: 'Retour à la connexion',
      sent: 'Si cette adresse attend une confirmation, un nouveau lien vient d’être envoyé.',
      nothingWaits: 'Aucune confirmation n’est attendue pour cette adresse',
    },
  },
  mails: {
    verification: {
      subject: (serviceName) => `Confirmez votre compte sur ${serviceName}`,
      preheader: 'Un clic, et votre compte est prêt.',
      body: (serviceName) =>
        `Merci de vous être inscrit sur ${serviceName}. Confirmez que cette adresse est la vôtre, et votre compte sera prêt.`,
      action: 'Confirmer mon compte',
      notYou:
        'Si vous ne vous êtes pas inscrit, ignorez ce message : aucun compte n’existe tant que le lien n’est pas utilisé.',
      footer: 'Vous recevez ce message parce que quelqu’un s’est inscrit avec cette adresse.',
    },
    accountExists: {
      subject: (serviceName) => `Vous avez déjà un compte sur ${serviceName}`,
      preheader: 'Quelqu’un a essayé de s’inscrire avec votre adresse. Rien n’a été modifié.',
      body: (serviceName) =>
        `Quelqu’un, peut-être vous, a essayé de s’inscrire sur ${serviceName} avec cette adresse. Vous avez déjà un compte : rien n’a été modifié.`,
      action: 'Se connecter',
      forgotten: 'Si vous ne vous souvenez plus de votre mot de passe, choisissez-en un nouveau :',
      notYou: 'Si ce n’était pas vous, vous n’avez rien à faire.',
      footer: 'Vous recevez ce message parce que quelqu’un s’est inscrit avec l’adresse de votre compte.',
    },
    welcome: {
      subject: (serviceName) => `Bienvenue sur ${serviceName}`,
      preheader: 'Votre compte est prêt.',
      body: (serviceName) =>
        `Bienvenue sur ${serviceName}. Votre compte est prêt, et vous pouvez vous connecter à tout moment.`,
      action: 'Se connecter',
      footer: 'Vous recevez ce message parce que vous avez un nouveau compte.',
    },
  },
}
