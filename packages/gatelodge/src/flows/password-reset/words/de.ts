import type { PasswordResetWords } from './en.ts'

export const de: PasswordResetWords = {
  pages: {
    forgot: {
      title: 'Passwort vergessen?',
      lead: 'Geben Sie die E-Mail-Adresse Ihres Kontos ein. Wir schicken Ihnen einen Link, mit dem Sie ein neues Passwort wählen.',
      email: 'E-Mail-Adresse',
      submit: 'Link schicken',
      back: 'Zurück zur Anmeldung',
      sent: 'Wenn ein Konto diese Adresse hat, ist ein Link unterwegs. Das kann eine Minute dauern; sehen Sie auch im Spam-Ordner nach.',
    },
    reset: {
      title: 'Neues Passwort wählen',
      password: 'Neues Passwort',
      confirmation: 'Neues Passwort wiederholen',
      hint: (length) => `Mindestens ${length} Zeichen; einige Wörter ohne Zusammenhang lassen sich leicht merken`,
      submit: 'Neues Passwort speichern',
      done: 'Ihr neues Passwort ist gespeichert. Melden Sie sich damit an.',
      expiredTitle: 'Dieser Link gilt nicht mehr',
      expired: 'Links gelten einmal und nur kurze Zeit. Fordern Sie einen neuen an.',
      again: 'Neuen Link anfordern',
    },
  },
  mails: {
    reset: {
      subject: (serviceName) => `Wählen Sie ein neues Passwort für ${serviceName}`,
      preheader: 'Der Link zu einem neuen Passwort.',
      body: (serviceName) =>
        `Jemand, vielleicht Sie selbst, hat ein neues Passwort für Ihr Konto bei ${serviceName} angefordert. Wählen Sie es hier:`,
      action: 'Neues Passwort wählen',
      notYou: 'Wenn Sie es nicht waren, beachten Sie diese Nachricht nicht: Ihr Passwort bleibt, wie es ist.',
      footer: 'Sie erhalten diese Nachricht, weil jemand ein neues Passwort für Ihr Konto angefordert hat.',
    },
    invitation: {
      subject: (serviceName) => `Ihr Konto bei ${serviceName}`,
      preheader: 'Wählen Sie ein Passwort, dann können Sie sich anmelden.',
      body: (serviceName) =>
        `Für Sie wurde ein Konto bei ${serviceName} angelegt. Wählen Sie ein Passwort, dann können Sie sich anmelden:`,
      action: 'Passwort wählen',
      notYou:
        'Wenn Sie keine Einladung erwartet haben, beachten Sie diese Nachricht nicht: Ohne Passwort kann niemand das Konto benutzen.',
      footer: 'Sie erhalten diese Nachricht, weil für diese Adresse ein Konto angelegt wurde.',
    },
    registerFirst: {
      subject: (serviceName) => `Schließen Sie Ihre Registrierung bei ${serviceName} ab`,
      preheader: 'Zu dieser Adresse gibt es noch kein bestätigtes Konto.',
      body: (serviceName) =>
        `Jemand, vielleicht Sie selbst, hat bei ${serviceName} ein neues Passwort angefordert. Die Registrierung mit dieser Adresse wurde nie bestätigt, es gibt also noch kein Konto. Registrieren Sie sich noch einmal, um eines anzulegen:`,
      action: 'Registrieren',
      notYou: 'Wenn Sie es nicht waren, ist nichts zu tun.',
      footer: 'Sie erhalten diese Nachricht, weil jemand für diese Adresse ein neues Passwort angefordert hat.',
    },
    passwordDisabled: {
      subject: (serviceName) => `Zu viele falsche Passwörter für Ihr Konto bei ${serviceName}`,
      preheader: 'Zum Schutz Ihres Kontos gilt Ihr Passwort nicht mehr auf jedem Gerät.',
      newDevices: (serviceName) =>
        `Für Ihr Konto bei ${serviceName} wurde zu oft ein falsches Passwort eingegeben, und zwar auf Geräten, die sich dort noch nie angemeldet hatten. Zum Schutz des Kontos gilt Ihr Passwort nur noch auf Geräten, die sich schon einmal angemeldet haben. Um sich auf jedem Gerät mit einem Passwort anzumelden, fordern Sie einen Link an und wählen Sie ein neues:`,
      oneDevice: (serviceName) =>
        `Für Ihr Konto bei ${serviceName} wurde zu oft ein falsches Passwort eingegeben, und zwar auf einem Gerät, das sich dort schon einmal angemeldet hatte. Zum Schutz des Kontos gilt Ihr Passwort auf diesem Gerät nicht mehr. Um sich dort wieder mit einem Passwort anzumelden, fordern Sie einen Link an und wählen Sie ein neues:`,
      action: 'Neues Passwort wählen',
      safe: 'Sonst wurde an Ihrem Konto nichts geändert.',
      footer: 'Sie erhalten diese Nachricht, weil sie die Sicherheit Ihres Kontos betrifft.',
    },
  },
}
