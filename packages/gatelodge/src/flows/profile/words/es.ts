import type { ProfileWords } from './en.ts'

export const es: ProfileWords = {
  pages: {
    profile: {
      title: 'Perfil',
      firstName: 'Nombre',
      lastName: 'Apellidos',
      username: 'Nombre de usuario',
      phone: 'Número de teléfono',
      website: 'Sitio web',
      webHint: 'Empieza por https://',
      github: 'Página de GitHub',
      birthDate: 'Fecha de nacimiento',
      language: 'Idioma',
      asBrowser: 'El del navegador',
      submit: 'Guardar',
      saved: 'Su perfil se ha guardado.',
    },
    picture: {
      title: 'Foto',
      current: 'Su foto',
      file: 'Nueva foto',
      hint: 'PNG, JPEG, WebP o AVIF, de hasta 5 MB. Se recorta en forma de cuadrado.',
      submit: 'Usar esta foto',
      changed: 'Su foto se ha cambiado.',
      remove: 'Quitar la foto',
      removed: 'Su foto se ha quitado.',
      image_invalid: 'Esta imagen no se puede leer: elija un archivo PNG, JPEG, WebP o AVIF',
      image_too_large: 'Esta imagen supera los 5 MB o los 40 megapíxeles',
    },
  },
}
