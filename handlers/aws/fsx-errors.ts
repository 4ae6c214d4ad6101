import { Throttled } from '../lib';

/** FSx's refusals that may be expected: they are answers, and asking again brings the same. */
const REFUSALS: ReadonlySet<string> = new Set([
  'BadRequest',
  'DataRepositoryAssociationNotFound',
  'DataRepositoryTaskExecuting',
  'FileSystemNotFound',
  'IncompatibleParameterError',
  'InvalidExportPath',
  'InvalidImportPath',
  'InvalidNetworkSettings',
  'InvalidPerUnitStorageThroughput',
  'MissingFileSystemConfiguration',
  'ServiceLimitExceeded',
  'UnsupportedOperation',
  'ValidationException',
]);
const THROTTLES: ReadonlySet<string> = new Set([
  'RequestLimitExceeded',
  'RequestThrottled',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);
/** FSx has no error of its own for a zone without capacity: only its sentence tells. */
const NO_CAPACITY =
  /insufficient\W+(\w+\W+){0,2}capacity|insufficientcapacity|(not|n't)( have)? enough\W+(\w+\W+){0,3}capacity|capacity\W+(\w+\W+){0,3}(unavailable|not available)/i;

/** A refusal in FSx's own sentence. */
export interface Refusal {
  readonly name: string;
  readonly reason: string;
  /** A quota or want of capacity; other parameters need not help. */
  readonly noRoom: boolean;
}

/** The refusal that an error stands for. Anything else is a surprise, and is thrown on. */
export function refusalOf(error: unknown): Refusal {
  const { name, message } = wordsOf(error);
  const noRoom = name === 'ServiceLimitExceeded' || saysNoCapacity(`${name}: ${message}`);
  if (isThrottle(error) || !(REFUSALS.has(name) || noRoom)) throw error;
  return { name, reason: message || name, noRoom };
}

/** Whether a sentence of FSx says that there was no capacity. */
export function saysNoCapacity(sentence: string | undefined): boolean {
  return sentence !== undefined && NO_CAPACITY.test(sentence);
}

/** Whether an error has one of these names. */
export function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return names.includes(wordsOf(error).name);
}

/** The same call, where AWS's wish for fewer of them is `Throttled`. */
export async function orThrottled<Value>(call: Promise<Value>): Promise<Value> {
  try {
    return await call;
  } catch (error) {
    if (!isThrottle(error)) throw error;
    const { name, message } = wordsOf(error);
    throw new Throttled(`FSx asks for fewer calls: ${message || name}`, { cause: error });
  }
}

function isThrottle(error: unknown): boolean {
  const { name, message } = wordsOf(error);
  return THROTTLES.has(name) || /^rate exceeded/i.test(message);
}

function wordsOf(error: unknown): { readonly name: string; readonly message: string } {
  return error instanceof Error ? error : { name: '', message: String(error) };
}
