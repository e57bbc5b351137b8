import { createContext } from 'svelte'

/** What a form provides to its fields. */
export interface FormContext {
  /** Returns the message for a field, if there is one. */
  faultOf(name: string): string | undefined
}

export const [formAround, setFormAround] = createContext<FormContext>()
