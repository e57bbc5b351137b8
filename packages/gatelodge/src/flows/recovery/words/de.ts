import type { RecoveryWords } from './en.ts'

export const de: RecoveryWords = {
  pages: {
    undo: {
      title: 'Sichern Sie Ihr Konto',
      lead: 'Wenn Sie es nicht waren, drücken Sie die Schaltfläche. Alle werden abgemeldet, Ihr Passwort gilt nicht mehr, was seitdem hinzukam, wird entfernt, und wir senden Ihnen einen Link, um ein neues Passwort zu wählen.',
      submit: 'Das war ich nicht',
      done: 'Alle sind abgemeldet. Sehen Sie in Ihre E-Mails: Nur der Link zu einem neuen Passwort, den wir Ihnen gesendet haben, öffnet Ihr Konto.',
      expiredTitle: 'Dieser Link funktioniert nicht mehr',
      expired:
        'Der Link funktioniert einmal und 72 Stunden lang. Wenn jemand anderes Ihr Konto benutzt, wählen Sie jetzt ein neues Passwort.',
      way: 'Neues Passwort wählen',
    },
  },
  mails: {
    started: {
      subject: (serviceName) => `Entsperren Sie Ihr Konto bei ${serviceName}`,
      preheader: 'Alle wurden abgemeldet.',
      body: (serviceName) =>
        `Sie haben uns gemeldet, dass eine Änderung an Ihrem Konto bei ${serviceName} nicht von Ihnen war. Alle wurden abgemeldet, Ihr Passwort gilt nicht mehr, und was seitdem hinzukam, wurde entfernt. Wählen Sie ein neues Passwort, um Ihr Konto wieder zu öffnen:`,
      action: 'Neues Passwort wählen',
      footer: 'Sie erhalten diese Nachricht, weil sie die Sicherheit Ihres Kontos betrifft.',
    },
  },
}
