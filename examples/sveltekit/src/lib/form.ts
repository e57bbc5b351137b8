import { createContext } from 'svelte'

/** What fields learn from the form around them. */
export interface FormContext {
  /** The sentence about a field, if there is one. */
  faultOf(name: string): string | undefined
}

export const [formAround, setFormAround] = createContext<FormContext>()
