import type { SignUpWords } from './en.ts'

export const de: SignUpWords = {
  pages: {
    title: 'Konto anlegen',
    email: 'E-Mail-Adresse',
    username: 'Benutzername',
    usernameHint: 'Mindestens 3 Buchstaben oder Ziffern; dazwischen auch . _ -',
    firstName: 'Vorname',
    lastName: 'Nachname',
    password: 'Passwort',
    hint: (length) => `Mindestens ${length} Zeichen; einige Wörter ohne Zusammenhang lassen sich leicht merken`,
    confirmation: 'Passwort wiederholen',
    submit: 'Konto anlegen',
    signIn: 'Sie haben schon ein Konto? Melden Sie sich an',
    emailTaken: 'Ein Konto hat diese Adresse schon',
    welcome:
      'Ihr Konto ist bereit. Bitte bestätigen Sie Ihre E-Mail-Adresse mit dem Link, den wir Ihnen geschickt haben.',
    closedTitle: 'Die Registrierung ist geschlossen',
    closed: 'Hier kann sich niemand selbst registrieren. Bitten Sie die Betreiber dieses Dienstes um ein Konto.',
    closedWay: 'Zur Anmeldung',
  },
}
