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
  ])
    assert.ok(!isOfficial(name), name)
  assert.ok(!isOfficial('ada', '—'))
  assert.ok(!isOfficial('acme-cloud', 'Gatelodge'))
  assert.ok(isOfficial('серви', 'Серви'))
})
