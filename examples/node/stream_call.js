// Streams a raw recording of a customer, 8 kHz, to a service and prints the cues.
//   node stream_call.js 127.0.0.1:50051 customer.ul      (.ul: G.711 µ-law, .l16: 16 bits, big-endian)
const fs = require('node:fs');
const path = require('node:path');
const { once } = require('node:events');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const proto = path.join(__dirname, '../../protos/emotion_service/v1/emotion_service.proto');
const definition = protoLoader.loadSync(proto, { keepCase: true, enums: String, longs: Number, defaults: true, oneofs: true });
const { EmotionService } = grpc.loadPackageDefinition(definition).emotion_service.v1;

const [server, file] = process.argv.slice(2);
const [encoding, width] = file.endsWith('.l16') ? ['audio/L16', 2] : ['audio/PCMU', 1];
const client = new EmotionService(server, grpc.credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
const call = client.StreamingAnalyze();

call.on('data', ({ cue, summary }) => {
  if (cue) {
    const end = (Number(cue.end_offset.seconds) + cue.end_offset.nanos / 1e9).toFixed(3);
    const why = cue.reasons.map((reason) => reason.text).join('; ');
    console.log(`${end} s ${cue.leg} ${cue.kind} ${cue.phase} ${cue.confidence.toFixed(3)} ${why}`);
  }
  if (summary) console.log(`summary: ${summary.legs[0].scores} scores`);
});
call.on('end', () => client.close());
call.on('error', (error) => {
  console.error(error.details); // error.metadata has the reason, error.code gRPC's status
  process.exitCode = 1;
});

async function send() {
  const leg = { leg: 'customer', party: 'PARTY_CUSTOMER', encoding, sample_rate_hertz: 8000 };
  const agreed = { disclosure_given: true, consent: 'CONSENT_GRANTED' }; // only where it is so
  call.write({ config: { call_id: 'example-node', legs: [leg], pacing: 'PACING_RECORDED', ...agreed } });
  for await (const data of fs.createReadStream(file, { highWaterMark: 800 * width })) { // 100 ms
    if (!call.write({ audio: { leg: 'customer', data } })) await once(call, 'drain');
  }
  call.end();
}
send();
