#include "model/files/write_folder.h"

#include "model/chat/chat_template.h"
#include "model/families/tensor_names.h"
#include "model/files/folder_files.h"
#include "model/files/safetensors_writer.h"

namespace model {

void write_weights(const std::string& directory, const ParameterStore& store, kernels::Dtype dtype) {
  std::vector<NamedTensor> tensors;
  for (const auto& p : store.parameters()) {
    if (p.name == "lm_head.weight" && store.config().tied_embedding) continue;
    const at::Tensor values = store.master_view(p);
    const bool round = dtype == kernels::Dtype::bf16 && !p.compute_float32;
    const auto names = file_names(store.config(), p);
    for (size_t i = 0; i < names.size(); ++i)
      tensors.push_back({names[i], is_experts(p) ? values.select(0, static_cast<int64_t>(i)) : values, round});
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
