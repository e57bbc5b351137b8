import type { SignInWords } from './en.ts'

export const fr: SignInWords = {
  pages: {
    newPassword: {
      title: 'Choisissez votre mot de passe',
      lead: 'Vous vous êtes connecté avec un mot de passe défini pour vous. Remplacez-le pour continuer.',
      password: 'Nouveau mot de passe',
      hint: (length) => `Au moins ${length} caractères ; quelques mots sans lien entre eux sont faciles à retenir`,
      confirmation: 'Répétez le nouveau mot de passe',
      submit: 'Enregistrer et se connecter',
      done: 'Votre mot de passe est enregistré. Vous êtes connecté.',
      expired: 'Le délai est dépassé. Connectez-vous de nouveau.',
    },
    reauthenticate: {
      title: 'Confirmez qu’il s’agit bien de vous',
      lead: 'Votre demande exige à nouveau votre mot de passe.',
      submit: 'Confirmer',
      done: 'Merci. Vous pouvez continuer.',
    },
    title: 'Connexion',
    identifier: 'Adresse e-mail ou nom d’utilisateur',
    password: 'Mot de passe',
    remember: 'Rester connecté sur cet appareil',
    submit: 'Se connecter',
    resend: 'Recevoir un nouveau lien',
    forgot: 'Mot de passe oublié ?',
    register: 'Pas encore de compte ? Inscrivez-vous',
    invalid_credentials: 'L’adresse, le nom d’utilisateur ou le mot de passe est incorrect',
    account_inactive: 'Ce compte est désactivé. Adressez-vous aux responsables de ce service.',
    email_unverified: 'Votre adresse e-mail n’est pas encore confirmée. Ouvrez le lien qui vous a été envoyé.',
  },
  mails: {
    newDevice: {
      subject: (serviceName) => `Nouvelle connexion à votre compte sur ${serviceName}`,
      preheader: 'Si c’était vous, vous n’avez rien à faire.',
      body: (serviceName) =>
        `Quelqu’un s’est connecté à votre compte sur ${serviceName} depuis un appareil que nous ne connaissons pas.`,
      device: 'Appareil',
      unknownDevice: 'inconnu',
      address: 'Adresse IP',
      time: 'Date',
      sessions: 'Voir où vous êtes connecté :',
      footer: 'Vous recevez ce message parce qu’il concerne la sécurité de votre compte.',
    },
  },
}
