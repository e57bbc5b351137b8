import { invalidField } from '../kernel/errors.ts'

export interface GivenNames {
  readonly firstName?: string | undefined
  readonly lastName?: string | undefined
  /** Instead of the two parts: split at the last space. */
  readonly fullname?: string | undefined
}

/** Returns the parts of a name that were given; omitted parts are absent. @throws input_invalid for a full name together with a part */
export function readNames(given: GivenNames): { firstName?: string; lastName?: string } {
  if (given.fullname === undefined) {
    return {
      ...(given.firstName !== undefined && { firstName: given.firstName.trim() }),
      ...(given.lastName !== undefined && { lastName: given.lastName.trim() }),
    }
  }
  if (given.firstName !== undefined || given.lastName !== undefined) {
    throw invalidField('fullname', 'conflict', 'Send either the full name or its parts, not both')
  }

  const whole = given.fullname.trim().replace(/\s+/gu, ' ')
  const blank = whole.lastIndexOf(' ')
  return blank < 0
    ? { firstName: whole, lastName: '' }
    : { firstName: whole.slice(0, blank), lastName: whole.slice(blank + 1) }
}
