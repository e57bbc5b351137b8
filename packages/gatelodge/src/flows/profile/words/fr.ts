import type { ProfileWords } from './en.ts'

export const fr: ProfileWords = {
  pages: {
    profile: {
      title: 'Profil',
      firstName: 'Prénom',
      lastName: 'Nom',
      username: 'Nom d’utilisateur',
      phone: 'Numéro de téléphone',
      website: 'Site web',
      webHint: 'Commence par https://',
      github: 'Page GitHub',
      birthDate: 'Date de naissance',
      language: 'Langue',
      asBrowser: 'Celle du navigateur',
      submit: 'Enregistrer',
      saved: 'Votre profil est enregistré.',
    },
    picture: {
      title: 'Photo',
      current: 'Votre photo',
      file: 'Nouvelle photo',
      hint: 'PNG, JPEG, WebP ou AVIF, 5 Mo au plus. L’image est recadrée en carré.',
      submit: 'Utiliser cette photo',
      changed: 'Votre photo a été modifiée.',
      remove: 'Retirer la photo',
      removed: 'Votre photo a été retirée.',
      image_invalid: 'Cette image est illisible : choisissez un fichier PNG, JPEG, WebP ou AVIF',
      image_too_large: 'Cette image dépasse 5 Mo ou 40 mégapixels',
    },
  },
}
