import type { SignInWords } from './en.ts'

export const de: SignInWords = {
  pages: {
    newPassword: {
      title: 'Wählen Sie Ihr eigenes Passwort',
      lead: 'Sie haben sich mit einem Passwort angemeldet, das für Sie festgelegt wurde. Ersetzen Sie es, um fortzufahren.',
      password: 'Neues Passwort',
      hint: (length) => `Mindestens ${length} Zeichen; einige Wörter ohne Zusammenhang lassen sich leicht merken`,
      confirmation: 'Neues Passwort wiederholen',
      submit: 'Passwort speichern und anmelden',
      done: 'Ihr Passwort ist gespeichert. Sie sind angemeldet.',
      expired: 'Es ist zu viel Zeit vergangen. Melden Sie sich noch einmal an.',
    },
    reauthenticate: {
      title: 'Bestätigen Sie, dass Sie es sind',
      lead: 'Dafür brauchen wir Ihr Passwort noch einmal.',
      submit: 'Bestätigen',
      done: 'Danke. Sie können jetzt fortfahren.',
    },
    title: 'Anmelden',
    identifier: 'E-Mail-Adresse oder Benutzername',
    password: 'Passwort',
    remember: 'Auf diesem Gerät angemeldet bleiben',
    submit: 'Anmelden',
    resend: 'Neuen Link zusenden',
    forgot: 'Passwort vergessen?',
    register: 'Noch kein Konto? Registrieren',
    invalid_credentials: 'Die Adresse, der Benutzername oder das Passwort ist falsch',
    account_inactive: 'Dieses Konto ist abgeschaltet. Wenden Sie sich an die Betreiber dieses Dienstes.',
    email_unverified: 'Ihre E-Mail-Adresse ist noch nicht bestätigt. Öffnen Sie den Link, der Ihnen geschickt wurde.',
  },
  mails: {
    newDevice: {
      subject: (serviceName) => `Neue Anmeldung in Ihrem Konto bei ${serviceName}`,
      preheader: 'Wenn Sie es waren, ist nichts zu tun.',
      body: (serviceName) =>
        `Jemand hat sich in Ihrem Konto bei ${serviceName} mit einem Gerät angemeldet, das wir noch nicht kennen.`,
      device: 'Gerät',
      unknownDevice: 'unbekannt',
      address: 'IP-Adresse',
      time: 'Zeit',
      sessions: 'Sehen Sie, wo Sie angemeldet sind:',
      footer: 'Sie erhalten diese Nachricht, weil sie die Sicherheit Ihres Kontos betrifft.',
    },
  },
}
