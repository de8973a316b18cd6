import { createServer, type AddressInfo } from 'node:net';
import { type Config } from '../config.js';
import { DomainError } from '../errors.js';

/**
 * Finds out whether the port can be had, before any work is done for it. PORT=0 becomes a free one, in the
 * public address as well.
 * @throws DomainError `server.port_taken`, `server.port_refused`, which say what to set
 */
export async function claimPort(config: Config): Promise<Config> {
  const port = await tryListening(config);
  const publicUrl = config.publicUrl.replace(/:0$/, `:${port}`);
  return { ...config, port, publicUrl };
}

const tryListening = ({ host, port }: Config): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => reject(portProblem(error, host, port)));
    probe.listen(port, host, () => {
      const bound = (probe.address() as AddressInfo).port;
      probe.close(() => resolve(bound));
    });
  });

/** What is wrong with HOST and PORT, and which of the two to change; other errors as they are. */
export function portProblem(error: Error, host: string, port: number): Error {
  const at = `${host}:${port}`;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new DomainError(
        'server.port_taken',
        `Something listens on ${at} already. Stop it, or choose another port with the variable PORT:\n  PORT=${port + 1} npm start`,
      );
    case 'EACCES':
      return new DomainError(
        'server.port_refused',
        `This user may not listen on ${at}. Choose a port above 1023 with the variable PORT.`,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new DomainError(
        'server.port_refused',
        `${host} is no address of this machine. Change the variable HOST (127.0.0.1, or 0.0.0.0 for all).`,
      );
    default:
      return error;
  }
}
