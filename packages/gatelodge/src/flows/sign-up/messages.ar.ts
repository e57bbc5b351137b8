import type { SignUpMessages } from './messages.ts'

export const ar: SignUpMessages = {
  pages: {
    title: 'إنشاء حساب',
    email: 'البريد الإلكتروني',
    username: 'اسم المستخدم',
    usernameHint: '3 أحرف أو أرقام على الأقل، ويمكن أن يقع بينها . أو _ أو -',
    firstName: 'الاسم الأول',
    lastName: 'اسم العائلة',
    password: 'كلمة المرور',
    hint: (length) => `الحد الأدنى لعدد الأحرف: ${length}. من السهل تذكّر بضع كلمات لا صلة بينها`,
    confirmation: 'كلمة المرور مرة أخرى',
    submit: 'إنشاء الحساب',
    signIn: 'هل لديك حساب بالفعل؟ سجّل الدخول',
    emailTaken: 'هناك حساب بهذا العنوان بالفعل',
    welcome: 'حسابك جاهز. يُرجى تأكيد بريدك الإلكتروني بالرابط الذي أرسلناه إليك.',
    closedTitle: 'التسجيل مغلق',
    closed: 'لا يمكن لأحد أن يسجّل هنا بنفسه. اطلب حسابًا من القائمين على هذه الخدمة.',
    closedWay: 'الانتقال إلى تسجيل الدخول',
  },
}
