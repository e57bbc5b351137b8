import type { ApiTokenWords } from './en.ts'

export const fr: ApiTokenWords = {
  pages: {
    lead: 'Un programme qui détient l’un de ces jetons passe pour vous auprès des services qui les acceptent. Gardez-les comme des mots de passe.',
    none: 'Il n’y a aucun jeton d’API.',
    scopes: 'Portées',
    noScopes: 'aucune',
    created: 'Créé',
    expires: 'Expire',
    lastUsed: 'Dernière utilisation',
    never: 'jamais',
    revoke: 'Révoquer',
    revoked: 'Le jeton est révoqué.',
    gone: 'Ce jeton était déjà révoqué ou expiré.',
    new: {
      title: 'Nouveau jeton d’API',
      name: 'Nom',
      nameHint: 'Pour le reconnaître, par exemple : script de sauvegarde',
      scopes: 'Portées',
      scopesHint: 'Ce qu’il peut faire, dans les mots du service auquel il est destiné, séparés par des espaces',
      expiresIn: 'Valable',
      submit: 'Créer le jeton',
      made: 'Votre nouveau jeton. Copiez-le maintenant : il ne sera plus affiché.',
    },
  },
  mails: {
    created: {
      subject: (serviceName) => `Nouveau jeton d’API chez ${serviceName}`,
      preheader: 'Si c’était vous, il n’y a rien à faire.',
      body: (serviceName, moment, end) =>
        `Un jeton d’API a été créé pour votre compte chez ${serviceName} le ${moment}. Jusqu’au ${end}, les programmes qui le détiennent passent pour vous.`,
      look: 'Voir tous vos jetons et révoquer ceux dont vous n’avez pas besoin :',
      footer: 'Vous recevez ce message parce qu’il concerne la sécurité de votre compte.',
    },
  },
}
