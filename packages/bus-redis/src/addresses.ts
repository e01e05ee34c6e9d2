import type { Rule } from '@omnibus/core/transport';

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[^\s:,/]+):(\d{1,5})$/;

/** A list of `host:port`, or one text with commas. */
export function addressesRule(): Rule<readonly Address[] | undefined> {
  return {
    resolve: (value, place) => {
      if (value === undefined) return undefined;
      const list: readonly unknown[] =
        typeof value === 'string'
          ? value.split(',').map((part) => part.trim())
          : Array.isArray(value)
            ? value
            : [];
      const addresses = list.map((entry) => (typeof entry === 'string' ? addressOf(entry) : undefined));
      if (addresses.length === 0 || addresses.includes(undefined)) {
        place.report(place.path, 'must be a list of "host:port", or one text with commas between them');
        return undefined;
      }
      return Object.freeze(addresses as Address[]);
    },
  };
}

/** A `redis://` or `rediss://` URL, which may carry a user, a password and the number of a database. */
export function urlRule(): Rule<URL | undefined> {
  return {
    resolve: (value, place) => {
      if (value === undefined) return undefined;
      const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
      const isRedis = url?.protocol === 'redis:' || url?.protocol === 'rediss:';
      if (!isRedis || !/^\/?\d*$/.test(url.pathname)) {
        // Not what was given: it may hold a password.
        place.report(place.path, 'must look like redis://user:password@host:port/db, or rediss:// for TLS');
        return undefined;
      }
      return url;
    },
  };
}

function addressOf(text: string): Address | undefined {
  const [, host = '', port = ''] = ADDRESS.exec(text) ?? [];
  return host === '' || Number(port) > 65_535
    ? undefined
    : { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
