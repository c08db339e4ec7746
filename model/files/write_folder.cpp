#include "model/files/write_folder.h"

#include "model/chat/chat_template.h"
#include "model/files/expert_name.h"
#include "model/files/folder_files.h"
#include "model/files/safetensors.h"

namespace model {

void write_weights(const std::string& directory, const ParameterStore& store, kernels::Dtype dtype) {
  std::vector<NamedTensor> tensors;
  for (const auto& p : store.parameters()) {
    if (p.name == "lm_head.weight" && store.config().tied_embedding) continue;
    const at::Tensor values = store.master_view(p);
    const bool round = dtype == kernels::Dtype::bf16 && !p.compute_float32;
    const auto name = expert_name(p);
    if (!name)
      tensors.push_back({p.name, values, round});
    else
      for (int64_t e = 0; e < p.shape[0]; ++e) tensors.push_back({name->of(e), values.select(0, e), round});
  }
  write_safetensors(directory + "/model.safetensors", tensors);
}

void write_model(const std::string& directory, const ParameterStore& store, const Tokenizer& tokenizer, kernels::Dtype dtype,
                 const std::string& template_style) {
  make_folder(directory);
  write_weights(directory, store, dtype);
  write_folder_files(directory, store.config(), dtype, tokenizer, chat_template_jinja(template_style));
}

}  // namespace model
