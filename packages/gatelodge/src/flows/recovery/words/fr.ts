import type { RecoveryWords } from './en.ts'

export const fr: RecoveryWords = {
  pages: {
    undo: {
      title: 'Protégez votre compte',
      lead: 'Si ce n’était pas vous, appuyez sur le bouton. Toutes les connexions sont fermées, votre mot de passe est désactivé, ce qui a été ajouté depuis est supprimé, et nous vous envoyons un lien pour choisir un nouveau mot de passe.',
      submit: 'Ce n’était pas moi',
      done: 'Toutes les connexions sont fermées. Consultez vos e-mails : seul le lien que nous vous avons envoyé pour choisir un nouveau mot de passe ouvre votre compte.',
      expiredTitle: 'Ce lien ne fonctionne plus',
      expired:
        'Le lien fonctionne une seule fois, pendant 72 heures. Si quelqu’un d’autre utilise votre compte, choisissez maintenant un nouveau mot de passe.',
      way: 'Choisir un nouveau mot de passe',
    },
  },
  mails: {
    started: {
      subject: (serviceName) => `Débloquez votre compte sur ${serviceName}`,
      preheader: 'Toutes les connexions ont été fermées.',
      body: (serviceName) =>
        `Vous nous avez signalé une modification de votre compte sur ${serviceName} qui ne venait pas de vous. Toutes les connexions ont été fermées, votre mot de passe est désactivé et ce qui a été ajouté depuis a été supprimé. Pour rouvrir votre compte, choisissez un nouveau mot de passe :`,
      action: 'Choisir un nouveau mot de passe',
      footer: 'Vous recevez ce message parce qu’il concerne la sécurité de votre compte.',
    },
  },
}
