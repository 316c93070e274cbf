// nginx in front of the same files, with as many workers, as the measure of what this machine can do.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { refuses } from '../support/viewer.ts';

export interface Nginx {
  readonly port: number;
  end(): Promise<void>;
}

export async function startNginx(folder: string, workers: number): Promise<Nginx> {
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  await writeFile(file, configOf(folder, port, workers));
  const child = spawn('nice', ['-n', '10', 'nginx', '-p', folder, '-e', 'stderr', '-c', file], { stdio: 'inherit' });
  const exited = once(child, 'exit');
  await Promise.race([until(async () => !(await refuses(port))), exited.then(failed)]);
  return { port, end: () => end(child, exited) };
}

const failed = () => {
  throw new Error('nginx ended at once; what it says is above');
};

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  await exited;
}

/** Its own defaults, but for what a server of files switches on: sendfile, and connections that are kept. */
const configOf = (folder: string, port: number, workers: number): string => `
daemon off;
worker_processes ${workers};
pid ${folder}/nginx.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  default_type application/octet-stream;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    location /api/v1/assets/ { alias ${folder}/; }
  }
}
`;
