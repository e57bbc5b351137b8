import type { SignUpWords } from './en.ts'

export const fr: SignUpWords = {
  pages: {
    title: 'Créer un compte',
    email: 'Adresse e-mail',
    username: 'Nom d’utilisateur',
    usernameHint: 'Au moins 3 lettres ou chiffres ; . _ - sont possibles entre eux',
    firstName: 'Prénom',
    lastName: 'Nom',
    password: 'Mot de passe',
    hint: (length) => `Au moins ${length} caractères ; quelques mots sans lien entre eux sont faciles à retenir`,
    confirmation: 'Mot de passe, encore une fois',
    submit: 'Créer le compte',
    signIn: 'Vous avez déjà un compte ? Connectez-vous',
    emailTaken: 'Un compte utilise déjà cette adresse',
    welcome: 'Votre compte est prêt. Veuillez confirmer votre adresse e-mail avec le lien que nous vous avons envoyé.',
    closedTitle: 'Les inscriptions sont fermées',
    closed: 'Il n’est pas possible de s’inscrire soi-même ici. Demandez un compte aux responsables de ce service.',
    closedWay: 'Aller à la connexion',
  },
}
