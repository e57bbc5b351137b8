import type { PasswordChangeWords } from './en.ts'

export const fr: PasswordChangeWords = {
  pages: {
    title: 'Mot de passe',
    old: 'Mot de passe actuel',
    new: 'Nouveau mot de passe',
    confirmation: 'Nouveau mot de passe, encore une fois',
    hint: (length) => `Au moins ${length} caractères ; quelques mots sans lien entre eux sont faciles à retenir`,
    submit: 'Changer le mot de passe',
    changed: 'Votre mot de passe est modifié. Vous êtes déconnecté de tous vos autres appareils.',
  },
  mails: {
    changed: {
      subject: (serviceName) => `Votre mot de passe sur ${serviceName} a été modifié`,
      preheader: 'Si c’était vous, vous n’avez rien à faire.',
      body: (serviceName, moment) =>
        `Le mot de passe de votre compte sur ${serviceName} a été modifié le ${moment}. Toutes les autres connexions ont été fermées.`,
      footer: 'Vous recevez ce message parce qu’il concerne la sécurité de votre compte.',
    },
  },
}
