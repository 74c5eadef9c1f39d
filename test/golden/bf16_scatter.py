"""How far PyTorch's own mixed precision (bfloat16 by autocast, weights in float32) is from its float32, on the CPU: the tolerances
for ours are three times this (bfloat16.json).

    python test/golden/bf16_scatter.py > test/golden/bfloat16.json      # a Python with PyTorch and NumPy; two minutes of one core

Processors without instructions for bfloat16 take 10 to 40 times as long for its products and convolutions, so these are computed in
float32 from factors in bfloat16, and their results are rounded to bfloat16: what the kernels do, too, whose sums are float32. Which
values are bfloat16 is left to autocast, and all other ops are PyTorch's own.

The model of ../bench/torch_step.py with weights by the rule of data/README.md (its names are other names, so each value is another
draw from the same distribution), and inputs, rates and sizes of the golden training files. Three steps each.
"""
import json, os, sys
import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, '..', 'bench'))
from torch_step import MiT, Head, pair_loss  # noqa: E402

torch.set_num_threads(1)  # more of them wait for each other on a busy machine
FACTOR = 3


class Float32Sums(TorchDispatchMode):
    """Products and convolutions of bfloat16 tensors, and their gradients, by the kernels of float32."""

    costly = {getattr(torch.ops.aten, name).default for name in ('convolution', 'convolution_backward', 'mm', 'bmm', 'addmm', 'baddbmm')}

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        rounded = [x for x in args if isinstance(x, torch.Tensor) and x.dtype == torch.bfloat16]
        if op not in self.costly or not rounded:
            return op(*args, **(kwargs or {}))
        out = op(*(x.float() if isinstance(x, torch.Tensor) else x for x in args), **(kwargs or {}))
        narrow = lambda x: x.bfloat16() if isinstance(x, torch.Tensor) else x
        return tuple(narrow(x) for x in out) if isinstance(out, (tuple, list)) else narrow(out)


def u(name, n):
    """Numbers in [-1, 1) that a name and an index decide."""
    h = 0x811C9DC5
    for byte in name.encode():
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    x = (np.arange(n, dtype=np.uint64) + h).astype(np.uint32)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, None)):
        x ^= x >> np.uint32(shift)
        if factor:
            x = (x.astype(np.uint64) * factor).astype(np.uint32)
    return torch.from_numpy(x / 2**31 - 1)


def fill(module, prefix):
    for name, p in module.named_parameters():
        x = u(prefix + name, p.numel()).view(p.shape)
        if 'pos' in name or name.endswith('cls'):
            x = 0.02 * x
        elif p.dim() == 1:
            x = 1 + 0.1 * x if name.endswith('weight') else 0.05 * x
        else:
            x = x * (3 / p[0].numel()) ** 0.5
        with torch.no_grad():
            p.copy_(x)


def network(out, prefix):
    net = torch.nn.Sequential(MiT((1, 1, 1, 1), (1, 1, 1)), Head(out))
    fill(net, prefix)
    return net


def images(name, shape):
    x = u(name, int(np.prod(shape))).view(shape)
    return (0.5 * x + 0.5 if len(shape) == 4 else x).float()


def slices_of(x):
    return x.transpose(1, 2).reshape(-1, 1, *x.shape[3:]).expand(-1, 3, -1, -1)


def run(golden, case, bf16):
    size = golden['size'] if isinstance(golden['size'], list) else [golden['size']] * 2
    volumes = len(size) == 3
    student, teacher = network(golden['outDim'], case), network(golden['outDim'], case + 'teacher.')
    params = dict(student.named_parameters())
    opt = torch.optim.AdamW(student.parameters(), lr=golden['lr'], weight_decay=golden['weightDecay'], eps=golden['adamEps'])
    centre = torch.zeros(1, golden['outDim'])
    told = []
    for step in range(len(golden['steps'])):
        shape = [golden['batch'], 1 if volumes else 3, *size]
        views = torch.cat([images(f'{case}{step}.{v}', shape) for v in (0, 1)])

        def outputs(net):
            with Float32Sums(), torch.autocast('cpu', torch.bfloat16, enabled=bf16):
                feature = net[0](views)
                out = [net[1](feature)]
                if volumes:
                    out.append(net(slices_of(views)).view(len(views), size[0], -1).float().mean(1))
            return feature.float().detach(), [o.float() for o in out]

        with torch.no_grad():
            _, t = outputs(teacher)
        feature, s = outputs(student)
        terms = [pair_loss(a, b, centre) for b in t for a in s]
        loss = sum(terms)
        opt.zero_grad(set_to_none=True)
        with Float32Sums():
            loss.backward()
        norms = {n: p.grad.norm().item() for n, p in params.items() if p.grad is not None and p.grad.norm() > 0}
        print(f'{case} {golden["size"]} bf16={bf16} step {step}: loss {loss.item():.5f}', file=sys.stderr, flush=True)
        told.append(dict(feature=feature, head=s[0].detach(), loss=loss.item(), terms=[x.item() for x in terms], norms=norms))
        for p in params.values():
            if p.grad is not None:
                p.grad.mul_((golden['clipGrad'] / (p.grad.norm() + 1e-6)).clamp(max=1))
        opt.step()
        with torch.no_grad():
            for k, q in zip(teacher.parameters(), student.parameters()):
                k.lerp_(q, 1 - golden['momentum'])
    state = {n: p.detach().clone() for n, p in params.items()}
    return told, state, centre.clone()


def values_off(a, b):
    return ((a - b).abs().max() / b.square().mean().sqrt()).item()


def scatter(file, cases):
    with open(os.path.join(here, 'data', file)) as f:
        golden = json.load(f)
    worst = {}

    def note(key, value):
        worst[key] = max(worst.get(key, 0.0), value)

    for case in cases:
        (exact, state, centre), (rounded, state16, centre16) = (run(golden, case, bf16) for bf16 in (False, True))
        for step, (x, y) in enumerate(zip(exact, rounded)):
            for key in ('feature', 'head'):
                note(key, values_off(y[key], x[key]))
                note(key + 'Norm', abs((y[key].norm() / x[key].norm()).item() - 1))
            note('loss', abs(y['loss'] / x['loss'] - 1))
            for p, q in zip(y['terms'], x['terms']):
                note('term', abs(p / q - 1))
            off = sorted(abs(y['norms'][n] / v - 1) for n, v in x['norms'].items() if n in y['norms'])
            note('gradient' if step == 0 else 'gradientLater', off[-1])
            note('gradientMedian', off[len(off) // 2])
            total = [sum(v * v for v in z['norms'].values()) ** 0.5 for z in (y, x)]
            note('gradientTotal', abs(total[0] / total[1] - 1))
        for n, p in state.items():
            note('parameter', (state16[n] - p).abs().max().item())
            note('parameterNorm', abs((state16[n].norm() / p.norm()).item() - 1))
        note('centre', (centre16 - centre).abs().max().item())
    return {key: float(f'{value:.3g}') for key, value in worst.items()}


if __name__ == '__main__':
    cases = ['bf16.a.', 'bf16.b.', 'bf16.c.']
    found = {phase: scatter(f'train-tiny-{phase}.json', cases) for phase in ('2D', '3D')}
    print(json.dumps(dict(torch=torch.__version__, cases=len(cases), factor=FACTOR, scatter=found), indent=2))
