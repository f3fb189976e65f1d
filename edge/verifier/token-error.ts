import { errors } from 'jose';
import { ClientError } from '../../proto/codes.ts';
import { quote } from '../../proto/text.ts';

/** What jose says of a token, as a sentence for the one who sent it. */
export function tokenError(error: unknown): ClientError {
  return new ClientError('invalid_token', sentence(error));
}

function sentence(error: unknown): string {
  if (error instanceof errors.JWTExpired) {
    const { exp } = error.payload;
    return `The token ended at ${moment(exp)}.`;
  }
  if (error instanceof errors.JWTClaimValidationFailed) return claimSentence(error);
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return 'The token is signed with an algorithm that is not accepted here.';
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return 'The signature of the token does not fit: another key made it, or it was changed.';
  }
  if (error instanceof errors.JWKSNoMatchingKey) return 'The token names a key that is not known here.';
  if (error instanceof errors.JOSENotSupported) {
    return 'The token demands an extension (`crit`) or a form that is not known here.';
  }
  if (error instanceof errors.JWTInvalid) return 'The payload of the token is not a JSON object of claims.';
  if (error instanceof errors.JWSInvalid) {
    return 'The token is not a signed JSON Web Token: three parts of base64url, joined by dots.';
  }
  return 'The token cannot be read.';
}

function claimSentence(error: errors.JWTClaimValidationFailed): string {
  const value = error.payload[error.claim];
  if (error.reason === 'missing') return `The token has no \`${error.claim}\`.`;
  if (error.reason === 'invalid') return `\`${error.claim}\` of the token is of the wrong type.`;
  switch (error.claim) {
    case 'nbf':
      return `The token is not valid before ${moment(value)}.`;
    case 'iss':
    case 'aud':
      return `\`${error.claim}\` of the token is ${quote(value)}, which is not accepted here.`;
    default:
      return `\`${error.claim}\` of the token is not accepted here.`;
  }
}

function moment(seconds: unknown): string {
  const date = new Date(Number(seconds) * 1_000);
  return Number.isNaN(date.getTime()) ? quote(seconds) : date.toISOString();
}
