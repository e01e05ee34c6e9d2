import type { WrongAttempt, WrongKey } from '../security/secured.js';
import type { BusOverrides } from '../subject.js';

/** A client's certificate and its key, as PEM. */
interface ClientCertificate {
  readonly clientCertificate: string;
  readonly clientKey: string;
}

/** What a broker for tests was given to encrypt with. */
export interface TlsMaterial extends ClientCertificate {
  readonly ca: string;
  issueClientCertificate(
    commonName: string,
    kind?: 'valid' | 'expired' | 'unknown-authority',
  ): Promise<ClientCertificate>;
}

/** TLS of a bus. */
export interface ClientTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** What a server shows that clients must not take. */
export type BadCertificate = 'expired' | 'wrong-name' | 'unknown-authority';

/** The TLS with which a client gets in. */
export function rightTls(
  { ca, clientCertificate, clientKey }: TlsMaterial,
  mutual: boolean,
): ClientTls & { readonly ca: string } {
  return mutual ? { ca, cert: clientCertificate, key: clientKey } : { ca };
}

/** How clients can get TLS wrong at a door. */
export interface TlsDoor {
  readonly material: TlsMaterial;
  /** Whether clients are asked for a certificate. */
  readonly mutual: boolean;
  /** Options of a bus with this TLS, and all else right. */
  withTls(tls: ClientTls): BusOverrides;
  /** Lets the server show another certificate to who connects from now on. */
  show(certificate: BadCertificate | 'valid'): Promise<void>;
}

/** Every wrong attempt that TLS has to refuse. */
export async function wrongTls(door: TlsDoor): Promise<Partial<Record<WrongKey, WrongAttempt>>> {
  const { material, mutual, withTls } = door;
  const { ca, ...client } = rightTls(material, mutual);
  const attempt = (tls: ClientTls): WrongAttempt => ({ overrides: withTls(tls), code: 'TLS' });
  const shown = (certificate: BadCertificate): WrongAttempt => ({
    ...attempt({ ca, ...client }),
    arrange: async () => {
      await door.show(certificate);
      return () => door.show('valid');
    },
  });
  return {
    'unknown authority': attempt(client),
    'expired certificate': shown('expired'),
    'wrong name': shown('wrong-name'),
    ...(mutual ? await wrongClients(material, attempt) : {}),
  };
}

async function wrongClients(
  { ca, issueClientCertificate }: TlsMaterial,
  attempt: (tls: ClientTls) => WrongAttempt,
): Promise<Partial<Record<WrongKey, WrongAttempt>>> {
  const [foreign, expired] = await Promise.all([
    issueClientCertificate('stranger', 'unknown-authority'),
    issueClientCertificate('stranger', 'expired'),
  ]);
  const showing = ({ clientCertificate: cert, clientKey: key }: ClientCertificate): WrongAttempt =>
    attempt({ ca, cert, key });
  return {
    'no client certificate': attempt({ ca }),
    'client certificate of an unknown authority': showing(foreign),
    'expired client certificate': showing(expired),
  };
}
