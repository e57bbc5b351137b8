import type { Translation } from '../../../kernel/languages.ts'

/** The texts about the profile and its picture, in English. */
export const en = {
  pages: {
    profile: {
      title: 'Profile',
      firstName: 'First name',
      lastName: 'Last name',
      username: 'Username',
      phone: 'Phone number',
      website: 'Website',
      webHint: 'Starts with https://',
      github: 'GitHub page',
      birthDate: 'Date of birth',
      language: 'Language',
      asBrowser: 'As the browser says',
      submit: 'Save',
      saved: 'Your profile is saved.',
    },
    picture: {
      title: 'Picture',
      current: 'Your picture',
      file: 'New picture',
      hint: 'PNG, JPEG, WebP or AVIF, up to 5 MB. It is cut to a square.',
      submit: 'Use this picture',
      changed: 'Your picture is changed.',
      remove: 'Remove the picture',
      removed: 'Your picture is removed.',
      image_invalid: 'This is no picture that can be read: choose a PNG, JPEG, WebP or AVIF file',
      image_too_large: 'This picture is larger than 5 MB or 40 megapixels',
    },
  },
} as const

/** The type of these texts. */
export type ProfileWords = Translation<typeof en>
