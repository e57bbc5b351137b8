import { formTokenField } from '../http/form-token.ts'
import type { FormValues } from '../http/route.ts'
import { type AuthError, invalidField } from '../kernel/errors.ts'
import { type Html, html } from './html.ts'
import type { PageView } from './page-context.ts'
import { pageWords } from './words/index.ts'

/** One field of a form. Its name is that of the property in the schema of the form. */
export interface Field {
  readonly name: string
  readonly label: string
  readonly kind:
    | 'text'
    | 'email'
    | 'password'
    | 'new-password'
    | 'checkbox'
    | 'date'
    | 'url'
    | 'tel'
    | 'select'
    | 'file'
    | 'hidden'
  /** The kind of value that browsers and password managers fill in (WHATWG HTML, autofill). */
  readonly autocomplete?: string
  readonly hint?: string
  readonly optional?: true
  readonly maxLength?: number
  /** The options of a `select`. */
  readonly options?: readonly (readonly [value: string, label: string])[]
  /** The content types that a `file` field accepts. */
  readonly accept?: readonly string[]
  /** Whether this field has the focus when the page opens. */
  readonly autofocus?: true
  /** The error of the field, if the failure itself does not name the field. */
  readonly fault?: string | undefined
}

/** The content of a form: the values that were sent before, and their errors. */
export interface FormState {
  readonly values: FormValues
  readonly error?: AuthError
  /** The error of the form as a whole, in the visitor's language, if the page has no text of its own for it. */
  readonly problem?: string
}

/** A page's view with the path that its form posts to. `formPage` supplies its own. */
export interface FormView extends PageView {
  readonly action: string
}

/** The layout of a form. */
export interface FormLayout {
  readonly fields: readonly Field[]
  readonly submit: string
  /** The style of the button. `danger` is for actions that cannot be undone. */
  readonly look?: 'quiet' | 'danger'
  /** The id of the heading that describes the button, if the page has several with the same label. */
  readonly about?: string
  /** The response is a file, so the page stays open. */
  readonly isDownload?: true
  /** The account whose password the form asks for, so that password managers offer and update the right one. */
  readonly account?: string
  /** The error of the form as a whole, for the error codes of the page that name no field. */
  readonly problem?: string
}

/** A form with its token, labels, hints and faults. Passwords are never filled in again. The first field with a fault is focused, and all faults are announced. */
export function form(view: FormView, state: FormState, layout: FormLayout): Html {
  const faults = faultsOf(view, state, layout)
  const first = layout.fields.find(({ name }) => faults.has(name))?.name

  const hasFile = layout.fields.some(({ kind }) => kind === 'file')

  return html`<form class="form" method="post" action="${view.action}"${hasFile && html` enctype="multipart/form-data"`}${layout.isDownload && html` data-download`} novalidate>
<input type="hidden" name="${formTokenField}" value="${view.formToken}">
${layout.account !== undefined && html`<input type="text" autocomplete="username" value="${layout.account}" readonly hidden>`}
${summary(view, state, layout, faults)}
${layout.fields.map((field) => formField(view, field, state, faults.get(field.name), field.name === first, first === undefined))}
<button class="button${layout.look && ` ${layout.look}`}" type="submit"${layout.about !== undefined && html` aria-describedby="${layout.about}"`}>${layout.submit}</button>
</form>`
}

function summary(
  view: PageView,
  state: FormState,
  layout: FormLayout,
  faults: ReadonlyMap<string, string>,
): Html | false {
  const words = pageWords[view.language].form
  const problem = layout.problem ?? state.problem
  if (problem === undefined && state.error === undefined && faults.size === 0) return false

  const items = layout.fields.flatMap(({ name, label }) => {
    const fault = faults.get(name)
    return fault === undefined ? [] : [html`<li><a href="#field-${name}">${label}</a>: ${fault}</li>`]
  })
  return html`<div class="errors" role="alert" tabindex="-1"><p>${problem ?? words.summary}</p>${
    items.length > 0 && html`<ul>${items}</ul>`
  }</div>`
}

function formField(
  view: PageView,
  field: Field,
  state: FormState,
  fault: string | undefined,
  isFirstFault: boolean,
  isClean: boolean,
): Html {
  const { name, kind } = field
  if (kind === 'hidden') return html`<input type="hidden" name="${name}" value="${state.values[name]}">`

  const isSecret = kind === 'password' || kind === 'new-password'
  const id = `field-${name}`
  const described = [fault !== undefined && `${id}-fault`, field.hint !== undefined && `${id}-hint`]
    .filter(Boolean)
    .join(' ')
  const focus = (isFirstFault || (isClean && field.autofocus)) && html` autofocus`
  const common = html`id="${id}" name="${name}"${described !== '' && html` aria-describedby="${described}"`}${
    fault !== undefined && html` aria-invalid="true"`
  }${focus}`
  if (kind === 'checkbox') {
    return html`<div class="field check"><input type="checkbox" value="on" ${common}${state.values[name] === 'on' && html` checked`}> <label for="${id}">${field.label}</label></div>`
  }

  const words = pageWords[view.language].form
  const control = controlOf(field, common, state.values[name] ?? '')
  return html`<div class="field">
<label for="${id}">${field.label}${field.optional && html` <span class="muted">(${words.optional})</span>`}</label>
${isSecret ? html`<div class="secret" data-show="${words.show}|${words.showPassword}" data-hide="${words.hide}|${words.hidePassword}"${kind === 'new-password' && strengthHints(words.strength)}>${control}</div>` : control}
${fault !== undefined && html`<p class="fault" id="${id}-fault">${fault}</p>`}
${field.hint !== undefined && html`<p class="hint muted" id="${id}-hint">${field.hint}</p>`}
</div>`
}

function controlOf(field: Field, common: Html, value: string): Html {
  const { kind } = field
  const filledIn = field.autocomplete !== undefined && html` autocomplete="${field.autocomplete}"`
  const required = !field.optional && html` required aria-required="true"`
  if (kind === 'select') {
    const options = (field.options ?? []).map(
      ([option, label]) => html`<option value="${option}"${option === value && html` selected`}>${label}</option>`,
    )
    return html`<select ${common}${filledIn}>${options}</select>`
  }
  if (kind === 'file') return html`<input type="file" ${common} accept="${field.accept?.join(',')}"${required}>`

  const isSecret = kind === 'password' || kind === 'new-password'
  const isLatin = kind === 'email' || kind === 'url' || kind === 'tel'
  // A phone must not capitalize or correct values that are compared exactly.
  const isVerbatim = isSecret || kind === 'email' || field.autocomplete === 'username'
  return html`<input type="${isSecret ? 'password' : kind}" ${common}${filledIn}${
    field.maxLength !== undefined && html` maxlength="${field.maxLength}"`
  }${required}${!isSecret && html` value="${value}"`}${isVerbatim && html` spellcheck="false" autocapitalize="none"`}${
    kind === 'email' && html` inputmode="email"`
  }${isLatin && html` dir="ltr"`}>`
}

function strengthHints(words: { readonly [Key in 'weak' | 'fair' | 'good' | 'strong']: string }): Html {
  return html` data-strength="${[words.weak, words.fair, words.good, words.strong].join('|')}"`
}

/** Returns the errors by field, in the visitor's language. */
function faultsOf({ language }: PageView, { error }: FormState, layout: FormLayout): Map<string, string> {
  const words: Readonly<Record<string, string>> = pageWords[language].faults
  const faults = new Map<string, string>()
  for (const { name, fault } of layout.fields) if (fault !== undefined) faults.set(name, fault)
  const proof = error?.code === 'incorrect_password' && layout.fields.find(({ kind }) => kind === 'password')
  if (proof) faults.set(proof.name, pageWords[language].faults.incorrect_password)
  for (const { field, code } of error?.faults ?? []) {
    const name = field.split('.').at(-1) ?? field
    if (layout.fields.some((known) => known.name === name))
      faults.set(name, words[code] ?? pageWords[language].faults.invalid)
  }
  return faults
}

/** @throws input_invalid if the two entries of a new password differ */
export function assertConfirmed(password: string, confirmation: string): void {
  if (password !== confirmation) throw invalidField('password_confirmation', 'mismatch', 'The passwords differ')
}

/** Returns the fields for first and last name, both optional. */
export function nameFields(words: { readonly firstName: string; readonly lastName: string }): readonly Field[] {
  const asked = { kind: 'text', maxLength: 150, optional: true } as const
  return [
    { name: 'first_name', label: words.firstName, autocomplete: 'given-name', ...asked },
    { name: 'last_name', label: words.lastName, autocomplete: 'family-name', ...asked },
  ]
}
