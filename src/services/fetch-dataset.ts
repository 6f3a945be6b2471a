import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { messageOf, RuntimeError } from '../base/errors.js';
import { newShortId } from '../base/ids.js';
import { systemCode } from '../base/network-error.js';
import { type RemoteDataset, type RemoteFile, type RemoteName, remoteDatasets } from './remote-datasets.js';
import { readTar } from './tar.js';

export interface DatasetFetch {
  name: RemoteName;
  /** AGENT_RUNTIME_DATA_DIR. */
  dataDir: string;
  /** Whether a data set that is there is downloaded again. */
  mayReplace: boolean;
  signal: AbortSignal;
  /** Says which file is being downloaded, and from which byte on. */
  onFile?(file: RemoteFile, from: number): void;
  /** Where the files are, unless they are where everybody's are. */
  sources?: Readonly<Record<RemoteName, RemoteDataset>>;
}

export interface FetchedDataset {
  name: RemoteName;
  /** Where training jobs find it. */
  directory: string;
  files: string[];
}

/**
 * `agent-runtime datasets fetch`: downloads a data set, compares it with its checksum and puts it where training jobs look.
 * A download that breaks off is kept in `<data>/downloads` and goes on from there the next time; a wrong file is deleted.
 *
 * @throws RuntimeError `conflict` when the data set is there, `unavailable` (network, status, checksum), `cancelled`
 */
export async function fetchDataset(request: DatasetFetch): Promise<FetchedDataset> {
  const { name, dataDir, sources = remoteDatasets } = request;
  const dataset = sources[name];
  const directory = join(dataDir, dataset.directory);
  const names = dataset.unpacks ?? dataset.files.map((file) => file.name);
  if (!request.mayReplace && names.every((file) => existsSync(join(directory, file)))) {
    throw new RuntimeError(
      'conflict',
      `${dataset.title} is in ${directory} already.`,
      'Use --force to download it again.',
    );
  }
  const downloads = join(dataDir, 'downloads');
  await mkdir(downloads, { recursive: true, mode: 0o700 });
  // All of them before the first is put in its place, so that no job finds half of a data set.
  const paths: string[] = [];
  for (const file of dataset.files) paths.push(await download(file, downloads, request));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (dataset.unpacks) await unpack(paths[0] ?? '', directory, dataset.unpacks);
  else for (const [place, file] of names.entries()) await rename(paths[place] ?? '', join(directory, file));
  for (const path of paths) await rm(path, { force: true });
  return { name, directory, files: names };
}

/** Downloads one file, or the rest of it, from the first address that has it; resolves to its path. */
async function download(file: RemoteFile, downloads: string, request: DatasetFetch): Promise<string> {
  const path = join(downloads, `${file.sha256.slice(0, 16)}-${file.name}`);
  const failures: string[] = [];
  for (const url of file.urls) {
    const from = await sizeOf(path);
    if (from === file.bytes && (await sha256Of(path)) === file.sha256) return path;
    request.onFile?.(file, from < file.bytes ? from : 0);
    try {
      await downloadFrom(url, path, file, request.signal);
    } catch (error) {
      if (request.signal.aborted) {
        throw new RuntimeError('cancelled', 'The download was interrupted.', 'Run it again to go on.', {
          cause: error,
        });
      }
      if (!(error instanceof BrokenDownload)) throw error;
      failures.push(`${new URL(url).host}: ${error.message}`);
      continue;
    }
    return verified(path, file);
  }
  const kept = await sizeOf(path);
  const hint =
    kept > 0 ? `Run it again to go on at byte ${kept} of ${file.bytes}.` : 'Check the network, or download it by hand.';
  throw new RuntimeError('unavailable', `${file.name} was not downloaded. ${failures.join('; ')}.`, hint);
}

/** The server or the network failed; another address, or another time, may do better. */
class BrokenDownload extends Error {}

async function downloadFrom(url: string, path: string, { bytes }: RemoteFile, signal: AbortSignal): Promise<void> {
  const has = await sizeOf(path);
  const from = has < bytes ? has : 0;
  let response: Response;
  try {
    response = await fetch(url, { signal, headers: from > 0 ? { range: `bytes=${from}-` } : {} });
  } catch (error) {
    throw new BrokenDownload(`no connection (${systemCode(error) ?? messageOf(error)})`, { cause: error });
  }
  const goesOn = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${from}-`);
  if (response.status !== 200 && !goesOn) {
    await response.body?.cancel();
    throw new BrokenDownload(`status ${response.status}`);
  }
  // A server without ranges answers from the beginning.
  const file = await open(path, goesOn ? 'a' : 'w', 0o600);
  let size = goesOn ? from : 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      // What is longer than the file is not the file: the checksum refuses it.
      await file.write(chunk);
      if (size > bytes) return;
    }
  } catch (error) {
    throw new BrokenDownload(`broken off at byte ${size} of ${bytes}`, { cause: error });
  } finally {
    await file.sync();
    await file.close();
  }
  if (size < bytes) throw new BrokenDownload(`it ended at byte ${size} of ${bytes}`);
}

/** The path of a file that is as it should be. Deletes any other, and throws `unavailable`. */
async function verified(path: string, file: RemoteFile): Promise<string> {
  const sha256 = await sha256Of(path);
  if (sha256 === file.sha256) return path;
  await rm(path, { force: true });
  throw new RuntimeError(
    'unavailable',
    `${file.name} is not what it should be: its sha256 is ${sha256}, not ${file.sha256}.`,
    'It was deleted. Something between here and its server has changed it; try again elsewhere.',
  );
}

/** Unpacks the wanted files of a `.tar.gz`, all or none. */
async function unpack(path: string, directory: string, wanted: readonly string[]): Promise<void> {
  const packed = await readFile(path);
  const entries = readTar(await promisify(gunzip)(packed, { maxOutputLength: mostUnpacked }));
  const found = new Map(entries.map(({ name, bytes }) => [name.split('/').at(-1) ?? '', bytes]));
  const missing = wanted.filter((name) => !found.has(name));
  if (missing.length > 0)
    throw new RuntimeError('unavailable', `${path} lacks ${missing.join(', ')}.`, 'Nothing was unpacked.');
  for (const name of wanted) {
    const temporary = join(directory, `.${name}.${newShortId()}.tmp`);
    await writeFile(temporary, found.get(name) ?? '', { mode: 0o600 });
    await rename(temporary, join(directory, name));
  }
}

/** CIFAR-10 has 184 MB. */
const mostUnpacked = 512 * 1024 * 1024;

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}
