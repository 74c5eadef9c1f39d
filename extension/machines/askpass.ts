import { connect } from 'node:net';

/**
 * What `ssh` starts to ask the user (SSH_ASKPASS): passes the question to the editor, and prints the answer. A program of its own,
 * without the editor's interface: askInEditor.ts listens.
 */
const socket = connect(process.env.UNIMISS_ASK_SOCKET ?? '');
let answer = '';
socket.setEncoding('utf8');
socket.on('data', (text) => {
  answer += text;
});
socket.on('error', (error) => {
  process.stderr.write(`The editor cannot be asked: ${error.message}\n`);
  process.exitCode = 1;
});
socket.on('end', () => {
  if (answer === '') process.exitCode = 1;
  process.stdout.write(answer);
});
socket.end(process.argv[2] ?? '');
