import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOfficialName } from './official-names.ts'
import { parseUsername } from './username.ts'

const isOfficial = (name: string, service = 'Acme Cloud') => isOfficialName(parseUsername('username', name), service)

test('names of RFC 2142, of systems and of the service are official, however they are written', () => {
  for (const name of [
    ...[
      'info',
      'marketing',
      'sales',
      'support',
      'abuse',
      'noc',
      'security',
      'postmaster',
      'hostmaster',
      'usenet',
      'news',
    ],
    ...[
      'webmaster',
      'www',
      'uucp',
      'ftp',
      'admin',
      'administrator',
      'root',
      'system',
      'help',
      'staff',
      'no-reply',
      'noreply',
    ],
    ...['Admin', 'ADMINISTRATOR', 'ad.min', 'a-d-m-i-n', 'r00t', 'adm1n', '4dmin', 'supp0rt', 'ádmin', 'sécurité'],
    ...[
      'acmecloud',
      'acme-cloud',
      'Acme.Cloud',
      'acme_cloud-support',
      'acmecloudadmin',
      'adminacmecloud',
      '4cme-c1oud',
    ],
    ...['support-team', 'mailer-daemon', 'soporte', 'sicherheit', 'الإدارة', 'مدير'],
  ]) {
    assert.ok(isOfficial(name), name)
  }
})

test('letters that look like those of an official name are no other name', () => {
  const strokes =
    'admın securıty ınfo ađmin røøt suppørt ɑdmin rᴏᴏt ʀᴏᴏᴛ hɘlp mođerator ħelp ŧeam łegal ƃilling ꜱᴛᴀꜰꜰ ɪɴꜰᴏ ɓilling'
  const pairs = 'adrnin vvebmaster vvvvvv rꝏt adꞌmin adʼmin'
  const others = 'ѕаӏеѕ арі гоот ѕиррогт һеӏр ѕтатиѕ ρορ'
  const arabic = 'مساعده الاداره ادارة المدیر مدىر الإدا\u0640رة الأمان ٱلدعم'
  for (const name of `${strokes} ${pairs} ${others} ${arabic}`.split(' ')) assert.ok(isOfficial(name), name)
})

test('words that are joined, adjacent or followed by digits are official, in each language', () => {
  const joined =
    'supportteam adminteam adminadmin superadmin sysadm admin1 1admin admin2024 support24-7 team.admin.1 sup-portteam hostmaster2'
  const combined =
    'customer-support customersupport globaladmin sicherheitsteam kundensupport soportetecnico soporte-cliente service.client user-support'
  const languages =
    'administración administracion moderación equipesupport equipo-soporte فريق_الدعم administratornews sudoequipe ayudaequipo'
  for (const name of `${joined} ${combined} ${languages}`.split(' ')) assert.ok(isOfficial(name), name)
})

test('the name of the service is official in every spelling of its umlauts', () => {
  for (const name of 'ärztenetz aerztenetz ärzte-netz aerzte.netz arztenetz aerztenetzsupport supportaerztenetz1'.split(
    ' ',
  ))
    assert.ok(isOfficial(name, 'Ärzte Netz'), name)
  for (const name of 'ärztenetz aerztenetz'.split(' ')) assert.ok(isOfficial(name, 'Aerzte Netz'), name)
  for (const name of 'grüßemüller gruessemueller grussemuller gruessemüller'.split(' '))
    assert.ok(isOfficial(name, 'Grüße Müller'), name)
  for (const name of 'århus aarhus arhus'.split(' ')) assert.ok(isOfficial(name, 'Århus'), name)
  for (const name of 'smørrebrød smoerrebroed smorrebrod'.split(' ')) assert.ok(isOfficial(name, 'Smørrebrød'), name)
  assert.ok(!isOfficial('aerzte', 'Ärzte Netz'))
})

test('names of people are not official, and a service whose name is of another script has no part in it', () => {
  for (const name of [
    'ada',
    'ali',
    'acme',
    'cloud',
    'ada-admin',
    'rooty',
    'adminton',
    'newsom',
    'person1',
    'sysiphos',
    'żółw',
    ...'modesto staffan teamo rootes helpman infante customer superman user1 caleb cans sudoku'.split(' '),
    ...'aideen mailand hostert ada1 1ada adaadmin adminada ada-support support-ada team-ada ada.acmecloud'.split(' '),
    ...'бернд имя ада олег μαρία δήμος محمد مديحة أمانة مساعد'.split(' '),
  ])
    assert.ok(!isOfficial(name), name)
  assert.ok(!isOfficial('ada', '—'))
  assert.ok(!isOfficial('acme-cloud', 'Gatelodge'))
  assert.ok(isOfficial('серви', 'Серви'))
})
