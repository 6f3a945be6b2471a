import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { RuntimeError } from '../base/errors.js';
import type { Runtime } from '../runtime.js';
import { failureResponse } from './failure.js';

/** Files that a browser may show in their place on the page; as the source of an img, SVG runs no script. */
const pictures: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.svg': 'image/svg+xml',
};

/** Whatever is in it: opened by itself it runs nothing, loads nothing and has no origin. */
const locked = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

/**
 * A file that a job has saved, to be kept under its name; `isShown`: to be shown where it is a picture. Only what the
 * job has recorded and what lies in its own folder is answered: no links, no other paths.
 */
export async function artifactResponse(
  { jobs, config }: Pick<Runtime, 'jobs' | 'config'>,
  jobId: string,
  name: string,
  isShown: boolean,
): Promise<Response> {
  try {
    const job = await jobs.get(jobId);
    const [recorded] = name === basename(name) ? await jobs.bringArtifacts(job.id, name) : [];
    if (!recorded) throw noFile(job.id, name);
    const { handle, size } = await openIn(
      config.dataDir,
      folderOf(config.dataDir, job.id, recorded.path),
      job.id,
      name,
    );
    const picture = isShown ? pictures[extname(name).toLowerCase()] : undefined;
    return new Response(Readable.toWeb(handle.createReadStream()) as ReadableStream, {
      headers: {
        'Content-Type': picture ?? 'application/octet-stream',
        'Content-Length': String(size),
        'Content-Disposition': `${picture ? 'inline' : 'attachment'}; ${fileName(name)}`,
        'Content-Security-Policy': locked,
      },
    });
  } catch (error) {
    return failureResponse(error);
  }
}

/** Within the data directory: the job's own folder, or that of this host's copy of what another host has saved. */
function folderOf(dataDir: string, jobId: string, path: string): string {
  const folder = dirname(path);
  return dirname(folder) === join(dataDir, 'copies', jobId) ? relative(dataDir, folder) : join('artifacts', jobId);
}

/** Opens a plain file of a job's folder. A link, also in place of the folder, leads to what nobody has recorded. */
async function openIn(
  dataDir: string,
  within: string,
  jobId: string,
  name: string,
): Promise<{ handle: FileHandle; size: number }> {
  let handle: FileHandle | undefined;
  try {
    const folder = join(await realpath(dataDir), within);
    if ((await realpath(folder)) !== folder) throw noFile(jobId, name);
    // Windows knows no such flags, and lets only administrators make links.
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
    handle = await open(join(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const status = await handle.stat();
    if (!status.isFile()) throw noFile(jobId, name);
    return { handle, size: status.size };
  } catch (error) {
    await handle?.close();
    throw error instanceof RuntimeError ? error : noFile(jobId, name);
  }
}

const noFile = (jobId: string, name: string): RuntimeError =>
  new RuntimeError(
    'not_found',
    `Job ${jobId} has no file ${JSON.stringify(name)}.`,
    'get_job_status names the files that it saved; `purge` removes those of old jobs.',
  );

/** The name for every browser (RFC 6266): in ASCII, and as it is. */
function fileName(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const whole = encodeURIComponent(name).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `filename="${plain}"; filename*=UTF-8''${whole}`;
}
