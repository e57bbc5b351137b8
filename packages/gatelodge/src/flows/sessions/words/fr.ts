import type { SessionWords } from './en.ts'

export const fr: SessionWords = {
  pages: {
    lead: 'Ces appareils sont connectés à votre compte.',
    current: 'Cet appareil',
    lastSeen: 'Dernière activité',
    started: 'Connexion',
    address: 'Adresse IP',
    noAddress: 'inconnue',
    end: 'Fermer cette session',
    ended: 'La session est fermée.',
    gone: 'Cette session était déjà fermée.',
    endOthers: 'Déconnecter tous les autres appareils',
    othersEnded: 'Tous les autres appareils sont déconnectés.',
    logout: {
      title: 'Déconnexion',
      lead: 'Voulez-vous vous déconnecter sur cet appareil ?',
      submit: 'Se déconnecter',
      back: 'Retour au compte',
      done: 'Vous êtes déconnecté.',
    },
  },
}
