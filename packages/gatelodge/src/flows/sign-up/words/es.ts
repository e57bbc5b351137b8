import type { SignUpWords } from './en.ts'

export const es: SignUpWords = {
  pages: {
    title: 'Crear una cuenta',
    email: 'Correo electrónico',
    username: 'Nombre de usuario',
    usernameHint: 'Al menos 3 letras o cifras; entre ellas también . _ -',
    firstName: 'Nombre',
    lastName: 'Apellidos',
    password: 'Contraseña',
    hint: (length) => `Al menos ${length} caracteres; unas cuantas palabras sin relación son fáciles de recordar`,
    confirmation: 'Repita la contraseña',
    submit: 'Crear la cuenta',
    signIn: '¿Ya tiene una cuenta? Inicie sesión',
    emailTaken: 'Una cuenta ya tiene esta dirección',
    welcome: 'Su cuenta está lista. Confirme su correo electrónico con el enlace que le hemos enviado.',
    closedTitle: 'El registro está cerrado',
    closed: 'Aquí nadie puede registrarse por su cuenta. Pida una cuenta a los responsables de este servicio.',
    closedWay: 'Ir al inicio de sesión',
  },
}
