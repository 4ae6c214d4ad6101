const NAMES =
  /(^|_)(PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIALS?|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY)$/i;
const VALUES = [
  /\b(AKIA|ASIA)[A-Z0-9]{16}\b/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\bgh[pousr]_[A-Za-z0-9]{30,}/,
  /\bxox[abprs]-[A-Za-z0-9-]{10,}/,
  /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\./,
  /:\/\/[^/\s:@]+:[^/\s@]+@/,
];
const REFERENCE = /^arn:aws[a-z-]*:(secretsmanager|ssm|kms):/;

/**
 * Whether an environment value should not be there in the clear: Batch puts a job's environment
 * into every event of the job. Errs towards yes, except for references to where a secret lies.
 */
export function looksSecret(name: string, value: string): boolean {
  if (value === '' || REFERENCE.test(value)) return false;
  return NAMES.test(name) || VALUES.some((form) => form.test(value));
}
