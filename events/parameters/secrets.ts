/** Words that name a secret wherever they stand in a name. */
const WORDS = [
  'PASSWORD',
  'PASSWD',
  'SECRET',
  'SECRETS',
  'TOKEN',
  'CREDENTIAL',
  'CREDENTIALS',
  'APIKEY',
];
/** Words that do so only next to each other, or at the end of a longer name. */
const PHRASES = /(^|_)(API|PRIVATE|ACCESS|SECRET|SIGNING|ENCRYPTION)_KEY(_|$)|._PWD$|(^|_)DB_PASS$/;
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
  return namesSecret(name) || VALUES.some((form) => form.test(value));
}

/** dbPassword, PGPASSWORD and DB_PASSWORD_1 are the same to a reader. */
function namesSecret(name: string): boolean {
  const snake = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
  const words = snake.split(/_+|\d+/);
  if (words.some((word) => WORDS.includes(word) || word.endsWith('PASSWORD'))) return true;
  return PHRASES.test(snake.replace(/_?\d+$/, ''));
}
