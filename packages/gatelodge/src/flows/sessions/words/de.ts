import type { SessionWords } from './en.ts'

export const de: SessionWords = {
  pages: {
    lead: 'Diese Geräte sind in Ihrem Konto angemeldet.',
    current: 'Dieses Gerät',
    lastSeen: 'Zuletzt aktiv',
    started: 'Angemeldet',
    address: 'IP-Adresse',
    noAddress: 'unbekannt',
    end: 'Diese Sitzung beenden',
    ended: 'Die Sitzung ist beendet.',
    gone: 'Diese Sitzung war schon beendet.',
    endOthers: 'Überall sonst abmelden',
    othersEnded: 'Sie sind überall sonst abgemeldet.',
    logout: {
      title: 'Abmelden',
      lead: 'Möchten Sie sich auf diesem Gerät abmelden?',
      submit: 'Abmelden',
      back: 'Zurück zum Konto',
      done: 'Sie haben sich abgemeldet.',
    },
  },
}
