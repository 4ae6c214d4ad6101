import { fingerprint } from '../../events';

/** FSx: `ClientRequestToken`; EC2 takes one character more. */
const TOKEN_MAX = 63;

/**
 * The client token of an effect: its key, as far as it fits, and what tells this stack's from another's.
 * Tokens are the account's, and two stacks may have runs of the same id.
 */
export function tokenOf(stack: string, key: string): string {
  const own = fingerprint({ stack, key });
  return `${key.slice(0, TOKEN_MAX - own.length - 1)}.${own}`;
}
