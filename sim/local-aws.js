#!/usr/bin/env node
// The `aws` that a local job finds on its PATH. Plain JavaScript, because jobs start it many times
// and outside any build: 40 ms of Node are enough, a TypeScript loader would triple them.
//
// It knows `s3 cp`, `s3 sync` and `s3 ls`, with the messages and exit codes of AWS CLI v2
// ("AWS CLI Return Codes"): 0 done; 1 a transfer failed, or ls found nothing; 2 a file was skipped;
// 252 bad usage; 253 bad environment; 254 the service refused; 255 anything else. What it does not
// know it refuses by name: a job that works here must not meet a surprise on AWS.

const fs = require('node:fs');
const path = require('node:path');
const { pipeline } = require('node:stream/promises');
const { parse, usage } = require('./local-aws/arguments.js');
const buckets = require('./local-aws/buckets.js');

const COMMANDS = { cp, sync, ls };

async function main(args) {
  const { command, options, paths } = parse(args);
  return COMMANDS[command](options, ...paths);
}

/** Everything is kept, unless a filter says otherwise; the last that matches decides. */
function isKept(name, filters) {
  return filters.findLast(({ matches }) => matches(name))?.keep ?? true;
}

async function cp(options, source, target) {
  const [from, to] = ends(source, target);
  if (options.switches.has('--recursive')) {
    if (from.stream || to.stream) {
      throw usage('Streaming currently is only compatible with non-recursive cp commands');
    }
    const report = reporter(options);
    const found = list(from, report).filter(({ name }) => isKept(name, options.filters));
    for (const { name } of found) await transfer(inside(from, name), inside(to, name), report);
    return report.exitCode();
  }
  // As with the real one, a stream says nothing but errors: its output may be the data.
  const report = reporter(options, from.stream || to.stream);
  const name = from.stream ? '' : path.posix.basename(from.s3 ? from.key : path.resolve(from.path));
  if (!from.stream && !isKept(name, options.filters)) return 0;
  if (from.s3 && !to.stream) {
    const { error } = attempt(() => buckets.head(from.bucket, from.key, 'HeadObject'));
    if (error) return report.failed(`fatal error: ${error.message}`);
  }
  await transfer(from, single(to, name), report);
  return report.exitCode();
}

async function sync(options, source, target) {
  const [from, to] = ends(source, target);
  if (from.stream || to.stream) throw usage('Streaming is only compatible with cp');
  const report = reporter(options);
  const kept = (location) =>
    new Map(
      list(location, report, location === to)
        .filter(({ name }) => isKept(name, options.filters))
        .map((each) => [each.name, each]),
    );
  const wanted = kept(from);
  const present = kept(to);
  if (report.exitCode() === 1) return 1; // Half a listing must not delete anything.

  for (const name of [...new Set([...wanted.keys(), ...present.keys()])].sort(buckets.byBytes)) {
    const [ours, theirs] = [wanted.get(name), present.get(name)];
    if (ours && (!theirs || differs(ours, theirs, to))) {
      await transfer(inside(from, name), inside(to, name), report);
    } else if (!ours && options.switches.has('--delete')) {
      remove(inside(to, name), report);
    }
  }
  return report.exitCode();
}

/** Another size, or changed since. Downloads go by "not the same time", since they set the time. */
function differs(ours, theirs, to) {
  if (ours.size !== theirs.size) return true;
  return to.s3 ? theirs.mtimeMs < ours.mtimeMs : theirs.mtimeMs > ours.mtimeMs;
}

function ls(options, where) {
  if (where === undefined) {
    for (const { name, mtimeMs } of buckets.all()) print(`${timestamp(mtimeMs)} ${name}`);
    return 0;
  }
  const { bucket, key: prefix } = locate(where.startsWith('s3://') ? where : `s3://${where}`);
  const objects = buckets.list(bucket, prefix);
  const folders = new Set();
  const lines = [];
  for (const { key, size, mtimeMs } of objects) {
    const slash = options.switches.has('--recursive') ? -1 : key.indexOf('/', prefix.length);
    const name = options.switches.has('--recursive') ? key : key.split('/').at(-1);
    if (slash >= 0) folders.add(`${key.slice(0, slash).split('/').at(-1)}/`);
    else lines.push(`${timestamp(mtimeMs)} ${String(size).padStart(10)} ${name}`);
  }
  for (const folder of folders) print(`${'PRE'.padStart(30)} ${folder}`);
  for (const line of lines) print(line);
  return objects.length === 0 && prefix !== '' ? 1 : 0;
}

async function transfer(from, to, report) {
  const verb = from.s3 ? (to.s3 ? 'copy' : 'download') : 'upload';
  const what = `${describe(from)} to ${describe(to)}`;
  try {
    if (verb === 'copy') await buckets.copy(from, to);
    else if (verb === 'upload') await buckets.put(to.bucket, to.key, (file) => receive(from, file));
    else await download(from, to);
    report.done(`${verb}: ${what}`);
  } catch (error) {
    report.failed(`${verb} failed: ${what} ${error.message}`);
  }
}

async function receive(from, file) {
  if (from.stream) return pipeline(process.stdin, fs.createWriteStream(file));
  return fs.copyFileSync(from.path, file, fs.constants.COPYFILE_FICLONE);
}

async function download(from, to) {
  const { file, mtimeMs } = buckets.head(from.bucket, from.key, 'GetObject');
  if (to.stream) return pipeline(fs.createReadStream(file), process.stdout);
  fs.mkdirSync(path.dirname(to.path), { recursive: true });
  const partial = `${to.path}.${process.pid.toString(16).padStart(8, '0')}`;
  try {
    fs.copyFileSync(file, partial, fs.constants.COPYFILE_FICLONE);
    fs.utimesSync(partial, new Date(mtimeMs), new Date(mtimeMs)); // So that a later sync skips it.
    fs.renameSync(partial, to.path);
  } catch (error) {
    fs.rmSync(partial, { force: true });
    throw error;
  }
}

function remove(location, report) {
  const { error } = attempt(() =>
    location.s3 ? buckets.remove(location.bucket, location.key) : fs.rmSync(location.path),
  );
  if (error) report.failed(`delete failed: ${describe(location)} ${error.message}`);
  else report.done(`delete: ${describe(location)}`);
}

/** What is below a location, by its name relative to it, in the order of S3. */
function list(location, report, mayBeMissing = false) {
  if (location.s3) {
    const prefix = location.key && asFolder(location.key);
    const { value = [], error } = attempt(() => buckets.list(location.bucket, prefix));
    if (error) report.failed(`fatal error: ${error.message}`);
    return value.map(({ key, ...rest }) => ({ name: key.slice(prefix.length), ...rest }));
  }
  if (!fs.existsSync(location.path) && mayBeMissing) return [];
  return [...walk(location.path, '', report)].sort((a, b) => buckets.byBytes(a.name, b.name));
}

/** The files below a directory. Links are followed, as by the real one; a circle of them ends in ELOOP. */
function* walk(directory, prefix, report) {
  const skip = (file, why) => report.skipped(`warning: Skipping file ${file}. ${why}`);
  const { value: entries, error } = attempt(() => fs.readdirSync(directory));
  if (error) return skip(`${directory}/`, 'File does not exist.');
  for (const entry of entries) {
    const file = path.join(directory, entry);
    const name = prefix + entry;
    const { value: found } = attempt(() => fs.statSync(file));
    if (!found) skip(file, 'File does not exist.');
    else if (found.isDirectory()) yield* walk(file, `${name}/`, report);
    else if (found.isFile()) {
      yield { name, size: found.size, mtimeMs: Math.round(found.mtimeMs) };
    } else skip(file, 'File is character special device, block special device, FIFO, or socket.');
  }
}

function ends(source, target) {
  const [from, to] = [locate(source), locate(target)];
  if (!from.s3 && !to.s3) throw usage('Error: Invalid argument type, one path must be s3://');
  if (!from.s3 && !from.stream && !fs.existsSync(from.path)) {
    throw Object.assign(new Error(`The user-provided path ${source} does not exist.`), {
      exitCode: 255,
    });
  }
  return [from, to];
}

function locate(text) {
  if (text === '-') return { stream: true };
  if (!text.startsWith('s3://')) return { path: text };
  const [bucket, key = ''] = text.slice('s3://'.length).split(/\/(.*)/s);
  const wrong = buckets.problemWith(bucket, key);
  if (wrong) throw usage(wrong);
  return { s3: true, bucket, key };
}

/** Where a single file goes: into what is, or is written like, a folder; else under the name given. */
function single(to, name) {
  if (to.stream) return to;
  if (to.s3) return to.key === '' || to.key.endsWith('/') ? { ...to, key: to.key + name } : to;
  const isFolder =
    to.path.endsWith('/') || fs.statSync(to.path, { throwIfNoEntry: false })?.isDirectory();
  return isFolder ? { path: path.join(to.path, name) } : to;
}

function inside(location, name) {
  if (!location.s3) return { path: path.join(location.path, name) };
  return { ...location, key: location.key ? asFolder(location.key) + name : name };
}

const asFolder = (key) => (key.endsWith('/') ? key : `${key}/`);

function describe(location) {
  if (location.stream) return '-';
  if (location.s3) return `s3://${location.bucket}/${location.key}`;
  const relative = path.relative('.', path.dirname(path.resolve(location.path))) || '.';
  return `${relative}/${path.basename(location.path)}`;
}

/** Says what happened, as loudly as was asked for, and remembers the worst. */
function reporter({ switches }, onlyErrors = false) {
  const quiet = switches.has('--quiet');
  let failures = 0;
  let skips = 0;
  return {
    done(line) {
      if (!quiet && !onlyErrors && !switches.has('--only-show-errors')) print(line);
    },
    failed(line) {
      failures += 1;
      if (!quiet) complain(line);
      return 1;
    },
    skipped(line) {
      skips += 1;
      if (!quiet) complain(line);
    },
    exitCode: () => (failures ? 1 : skips ? 2 : 0),
  };
}

function attempt(action) {
  try {
    return { value: action() };
  } catch (error) {
    return { error };
  }
}

/** Local time, as the real one prints it. */
function timestamp(ms) {
  const two = (number) => String(number).padStart(2, '0');
  const at = new Date(ms);
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`;
}

const print = (line) => process.stdout.write(`${line}\n`);
const complain = (line) => process.stderr.write(`${line}\n`);

main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error) => {
    complain(`\n${error.message}`);
    process.exitCode = error.exitCode ?? 255;
  },
);
