/** What the API says. */
export const signUpAnswers = {
  verificationRequired:
    'Your account was created successfully. Check your email address to activate your account as we just sent you an activation link. Ensure you activate your account before the link expires',
} as const
