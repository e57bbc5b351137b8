import type { ProfileWords } from './en.ts'

export const de: ProfileWords = {
  pages: {
    profile: {
      title: 'Profil',
      firstName: 'Vorname',
      lastName: 'Nachname',
      username: 'Benutzername',
      phone: 'Telefonnummer',
      website: 'Webseite',
      webHint: 'Beginnt mit https://',
      github: 'GitHub-Seite',
      birthDate: 'Geburtsdatum',
      language: 'Sprache',
      asBrowser: 'Wie im Browser eingestellt',
      submit: 'Speichern',
      saved: 'Ihr Profil ist gespeichert.',
    },
    picture: {
      title: 'Bild',
      current: 'Ihr Bild',
      file: 'Neues Bild',
      hint: 'PNG, JPEG, WebP oder AVIF, höchstens 5 MB. Es wird quadratisch zugeschnitten.',
      submit: 'Dieses Bild verwenden',
      changed: 'Ihr Bild ist geändert.',
      remove: 'Bild entfernen',
      removed: 'Ihr Bild ist entfernt.',
      image_invalid: 'Dieses Bild ist nicht lesbar: Wählen Sie eine Datei in PNG, JPEG, WebP oder AVIF',
      image_too_large: 'Dieses Bild ist größer als 5 MB oder 40 Megapixel',
    },
  },
}
