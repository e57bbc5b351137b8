import type { SignInMessages } from './messages.ts'

export const ar: SignInMessages = {
  pages: {
    reauthenticate: {
      title: 'أكّد أنك أنت',
      lead: 'يتطلب ما طلبته إدخال كلمة مرورك مرة أخرى.',
      submit: 'تأكيد',
      done: 'شكرًا لك. يمكنك المتابعة الآن.',
    },
    title: 'تسجيل الدخول',
    identifier: 'البريد الإلكتروني أو اسم المستخدم',
    password: 'كلمة المرور',
    remember: 'إبقاء تسجيل الدخول على هذا الجهاز',
    submit: 'تسجيل الدخول',
    resend: 'أرسلوا إليّ رابطًا جديدًا',
    forgot: 'هل نسيت كلمة المرور؟',
    register: 'ليس لديك حساب؟ أنشئ حسابًا',
    invalid_credentials: 'عنوان البريد أو اسم المستخدم أو كلمة المرور غير صحيح',
    account_inactive: 'هذا الحساب معطّل. يُرجى التواصل مع القائمين على هذه الخدمة.',
    email_unverified: 'لم يتم تأكيد بريدك الإلكتروني بعد. افتح الرابط الذي أُرسل إليك.',
  },
  mails: {
    newDevice: {
      subject: (serviceName) => `تسجيل دخول جديد إلى حسابك في ${serviceName}`,
      preheader: 'إذا كنت أنت من فعل ذلك، فلا داعي لأي إجراء.',
      body: (serviceName) => `تم تسجيل الدخول إلى حسابك في ${serviceName} من جهاز لم نره من قبل.`,
      device: 'الجهاز',
      unknownDevice: 'غير معروف',
      address: 'عنوان IP',
      time: 'الوقت',
      sessions: 'اعرف الأجهزة التي سُجّل الدخول منها:',
      footer: 'تصلك هذه الرسالة لأنها تتعلق بأمان حسابك.',
    },
  },
}
