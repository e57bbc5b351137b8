import type { PasswordChangeWords } from './en.ts'

export const de: PasswordChangeWords = {
  pages: {
    title: 'Passwort',
    old: 'Bisheriges Passwort',
    new: 'Neues Passwort',
    confirmation: 'Neues Passwort wiederholen',
    hint: (length) => `Mindestens ${length} Zeichen; einige Wörter ohne Zusammenhang lassen sich leicht merken`,
    submit: 'Passwort ändern',
    changed: 'Ihr Passwort ist geändert. Überall sonst sind Sie abgemeldet.',
  },
  mails: {
    changed: {
      subject: (serviceName) => `Ihr Passwort bei ${serviceName} wurde geändert`,
      preheader: 'Wenn Sie es waren, ist nichts zu tun.',
      body: (serviceName, moment) =>
        `Das Passwort Ihres Kontos bei ${serviceName} wurde am ${moment} geändert. Alle anderen, die angemeldet waren, wurden abgemeldet.`,
      footer: 'Sie erhalten diese Nachricht, weil sie die Sicherheit Ihres Kontos betrifft.',
    },
  },
}
