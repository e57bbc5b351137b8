import { defineEnvVars } from '@sveltejs/kit/env'

export const variables = defineEnvVars({
  AUTH_SERVER_URL: {
    description: 'Where this server reaches Gatelodge.',
    schema: (value = 'http://localhost:3000') => new URL(value).origin,
  },
})
