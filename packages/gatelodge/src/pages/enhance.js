// Improves pages. Everything works without it, and security does not depend on it.
for (const secret of document.querySelectorAll('.secret')) {
  const input = secret.querySelector('input')
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'reveal'
  const show = (isShown) => {
    input.type = isShown ? 'text' : 'password'
    const [word, name] = (isShown ? secret.dataset.hide : secret.dataset.show).split('|')
    button.textContent = word
    button.setAttribute('aria-label', name)
  }
  button.addEventListener('click', () => show(input.type === 'password'))
  input.form?.addEventListener('submit', () => show(false))
  show(false)
  secret.append(button)
  if (secret.dataset.strength) hintAtStrength(input, secret)
}

// Considers length and variety only; the server's policy decides.
function hintAtStrength(input, secret) {
  const words = secret.dataset.strength.split('|')
  const meter = document.createElement('meter')
  meter.max = words.length
  meter.setAttribute('aria-hidden', 'true')
  const said = document.createElement('p')
  said.className = 'hint muted'
  said.setAttribute('aria-live', 'polite')
  secret.after(meter, said)
  const update = () => {
    const text = input.value
    const points = [...text].length + new Set(text.toLowerCase()).size
    const level = text === '' ? 0 : points < 16 ? 1 : points < 22 ? 2 : points < 30 ? 3 : 4
    meter.value = level
    meter.hidden = level === 0
    said.textContent = level === 0 ? '' : words[level - 1]
  }
  input.addEventListener('input', update)
  update()
}

// Marks the buttons of a submitted form as disabled, because a form submitted twice would be answered twice.
for (const form of document.querySelectorAll('form.form:not([data-download])')) {
  form.addEventListener('submit', () => {
    for (const button of form.querySelectorAll('button[type=submit]')) button.setAttribute('aria-disabled', 'true')
  })
}
addEventListener('pageshow', () => {
  for (const button of document.querySelectorAll('button[aria-disabled]')) button.removeAttribute('aria-disabled')
})

// Shows a picture before it is uploaded.
for (const input of document.querySelectorAll('input[type=file]')) {
  const preview = document.createElement('img')
  preview.className = 'avatar'
  preview.alt = ''
  input.addEventListener('change', () => {
    const reader = new FileReader()
    reader.addEventListener('load', () => {
      preview.src = reader.result
      input.after(preview)
    })
    preview.remove()
    if (input.files[0]) reader.readAsDataURL(input.files[0])
  })
}

// Converts times, which are rendered in UTC, to the reader's own zone.
const local = new Intl.DateTimeFormat(document.documentElement.lang, {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
  timeZoneName: 'short',
})
for (const time of document.querySelectorAll('time')) time.textContent = local.format(new Date(time.dateTime))

// Moves the focus to the errors, so that they are announced first.
document.querySelector('.errors')?.focus()
