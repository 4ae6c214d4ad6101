// The buckets behind the local `aws`: directories, and in them one file per object. As in S3, an
// object appears whole or not at all, whenever the writer is killed.

const { randomBytes } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
// What the stack's job role reaches of the results bucket: this and nothing else.
const REACHABLE = 'runs/';
const RENAMES_MAX = 5;

/** What is wrong with a bucket's name or a key, in a sentence; undefined if nothing. */
function problemWith(bucket, key) {
  if (!BUCKET.test(bucket)) {
    const rule = `Bucket name must match the regex "${BUCKET.source}"`;
    return `Parameter validation failed:\nInvalid bucket name "${bucket}": ${rule}`;
  }
  const parts = key.split('/');
  if (parts.at(-1) === '') parts.pop();
  if (key.includes('\0') || parts.some((part) => ['', '.', '..'].includes(part))) {
    const rule = "key must not have empty parts, '.', '..' or NUL in a local bucket";
    return `${rule}, got '${key}'. S3 would take it, a directory cannot`;
  }
  return undefined;
}

/** The buckets there are. A job may not ask: its role has no such right. */
function all() {
  if (process.env.S3_BUCKET_NAME) throw denied('ListBuckets');
  return fs
    .readdirSync(root(), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && BUCKET.test(entry.name))
    .map(({ name }) => ({ name, mtimeMs: fs.statSync(path.join(root(), name)).birthtimeMs }))
    .sort((a, b) => byBytes(a.name, b.name));
}

/** The objects whose keys begin with the prefix, in the order of S3. */
function list(bucket, prefix) {
  const directory = open('ListObjectsV2', bucket, prefix);
  const parent = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const start = path.join(directory, parent);
  if (!fs.statSync(start, { throwIfNoEntry: false })?.isDirectory()) return [];
  return fs
    .readdirSync(start, { recursive: true })
    .map((name) => parent + name)
    .filter((key) => key.startsWith(prefix))
    .map((key) => ({
      key,
      stat: fs.statSync(path.join(directory, key), { throwIfNoEntry: false }),
    }))
    .filter(({ stat }) => stat?.isFile())
    .map(({ key, stat }) => ({ key, size: stat.size, mtimeMs: Math.round(stat.mtimeMs) }))
    .sort((a, b) => byBytes(a.key, b.key));
}

/** The file that holds an object, and when it was written. */
function head(bucket, key, operation) {
  const file = path.join(open(operation, bucket, key), key);
  const stat = key.endsWith('/') ? undefined : fs.statSync(file, { throwIfNoEntry: false });
  if (stat?.isFile()) return { file, mtimeMs: Math.round(stat.mtimeMs) };
  // A HEAD has no body, so its error has no name; the real one adds the key itself.
  throw operation === 'HeadObject'
    ? serviceError('404', operation, `Key "${key}" does not exist`)
    : serviceError('NoSuchKey', operation, 'The specified key does not exist.');
}

/** Writes an object. `fill` is given a file elsewhere, which becomes the object in one rename. */
async function put(bucket, key, fill, operation = 'PutObject') {
  const directory = open(operation, bucket, key);
  if (key === '' || key.endsWith('/')) {
    throw new Error(`a local bucket cannot hold the key '${key}': it would be a directory`);
  }
  const staging = path.join(root(), '.incoming');
  const staged = path.join(staging, `${process.pid}-${randomBytes(6).toString('hex')}`);
  fs.mkdirSync(staging, { recursive: true });
  try {
    await fill(staged);
    flush(staged);
    settle(staged, directory, key);
  } catch (error) {
    fs.rmSync(staged, { force: true });
    throw error;
  }
}

function copy(from, to) {
  const { file } = head(from.bucket, from.key, 'CopyObject');
  const fill = (staged) => fs.copyFileSync(file, staged, fs.constants.COPYFILE_FICLONE);
  return put(to.bucket, to.key, fill, 'CopyObject');
}

function remove(bucket, key) {
  const directory = open('DeleteObject', bucket, key);
  fs.rmSync(path.join(directory, key), { force: true });
  // S3 has no directories: what is left empty must not stand in the way of an object.
  let parent = path.dirname(key);
  while (parent !== '.' && removedIfEmpty(path.join(directory, parent))) {
    parent = path.dirname(parent);
  }
}

/** The order of S3: by bytes, not by the letters of a language. */
function byBytes(a, b) {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function settle(staged, directory, key) {
  const file = path.join(directory, key);
  for (let tries = 1; ; tries += 1) {
    try {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.renameSync(staged, file);
      return flush(path.dirname(file));
    } catch (error) {
      // Somebody may have removed the parent as empty just now, or left an empty one behind.
      const again = error.code === 'ENOENT' || (error.code === 'EISDIR' && removedIfEmpty(file));
      if (again && tries < RENAMES_MAX) continue;
      if (!['EISDIR', 'ENOTDIR', 'EEXIST'].includes(error.code)) throw error;
      const why = 'another key begins with it and a slash, or is what it begins with';
      const message = `a local bucket cannot hold the key '${key}': ${why}. S3 would take both`;
      throw new Error(message, { cause: error });
    }
  }
}

function flush(file) {
  const descriptor = fs.openSync(file, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function removedIfEmpty(directory) {
  try {
    fs.rmdirSync(directory);
    return true;
  } catch {
    return false; // It holds something, or is gone: both are fine.
  }
}

/** The bucket's directory, if the caller may do this to this key. Without S3_BUCKET_NAME it is no job, and may. */
function open(operation, bucket, key) {
  const own = process.env.S3_BUCKET_NAME;
  if (own && (bucket !== own || !key.startsWith(REACHABLE))) throw denied(operation);
  const directory = path.join(root(), bucket);
  if (fs.existsSync(directory)) return directory;
  throw operation === 'HeadObject'
    ? serviceError('404', operation, 'Not Found')
    : serviceError('NoSuchBucket', operation, 'The specified bucket does not exist');
}

function denied(operation) {
  return operation === 'HeadObject'
    ? serviceError('403', operation, 'Forbidden')
    : serviceError('AccessDenied', operation, 'Access Denied');
}

function serviceError(code, operation, message) {
  const text = `An error occurred (${code}) when calling the ${operation} operation: ${message}`;
  return Object.assign(new Error(text), { exitCode: 254 });
}

function root() {
  const buckets = process.env.EBBTIDE_LOCAL_BUCKETS;
  if (buckets) return buckets;
  const message = 'EBBTIDE_LOCAL_BUCKETS is not set: it names the directory of the local buckets';
  throw Object.assign(new Error(message), { exitCode: 253 });
}

module.exports = { all, byBytes, copy, head, list, problemWith, put, remove };
